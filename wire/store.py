"""Settings of an S3 bucket, the same for every program that has one. No client comes with them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class BucketSettings(BaseModel):
    """Which bucket, where, and with whose keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bucket: str = Field("leukoscope", min_length=3, max_length=63)
    endpoint: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        description="URL of an S3-compatible store, http:// or https://; None for AWS",
    )
    region: str = "us-east-1"
    access_key_id: str | None = Field(None, description="None: the machine's own AWS credentials")
    secret_access_key: SecretStr | None = None
    path_style: bool = Field(default=True, description="bucket in the path, not the host name")
    timeout_s: float = Field(10.0, gt=0, description="of one request, seconds")

    def boto3_client(self) -> dict[str, Any]:
        """Arguments of `boto3.client("s3", …)`, but for `config`."""
        secret = self.secret_access_key
        return {
            "endpoint_url": self.endpoint,
            "region_name": self.region,
            "aws_access_key_id": self.access_key_id,
            "aws_secret_access_key": secret.get_secret_value() if secret else None,
        }

    def boto3_config(self) -> dict[str, Any]:
        """Arguments of `botocore.config.Config(…)`."""
        return {
            "signature_version": "s3v4",
            "s3": {"addressing_style": "path" if self.path_style else "virtual"},
            "connect_timeout": self.timeout_s,
            "read_timeout": self.timeout_s,
            "retries": {"mode": "standard", "total_max_attempts": 5},
        }
