"""The bucket with conditions: create where nothing is, replace what was read."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from model.errors import ModelError
from wire.store import BucketSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Answer = TypeVar("Answer")

_NOT_MET: Final = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_ABSENT: Final = {"NoSuchKey", "404"}


class Stored(NamedTuple):
    """An object as it was read; `etag` is the condition for replacing exactly this one."""

    data: bytes
    etag: str


class Bucket:
    """One bucket. Every method may raise ModelError: the store cannot be reached, or refuses."""

    def __init__(self, settings: BucketSettings) -> None:
        self._where = settings.endpoint or f"AWS in {settings.region}"
        self._bucket = settings.bucket
        self._client: S3Client = boto3.client(
            "s3", **settings.boto3_client(), config=Config(**settings.boto3_config())
        )

    def __enter__(self) -> "Bucket":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def read(self, key: str) -> Stored | None:
        """An object, or None where there is none."""

        def get() -> Stored:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            return Stored(answer["Body"].read(), answer["ETag"])

        return self._asked(f"read {key}", get, _ABSENT)

    def create(self, key: str, data: bytes) -> bool:
        """Write an object where there is none (If-None-Match: *); False where there is one."""
        return self._put(key, data, IfNoneMatch="*")

    def replace(self, key: str, data: bytes, etag: str) -> bool:
        """Write over the object with that ETag (If-Match); False where it is another by now."""
        return self._put(key, data, IfMatch=etag)

    def sizes(self, prefix: str) -> dict[str, int]:
        """Bytes of every object under a prefix, by key."""

        def listed() -> dict[str, int]:
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix
            )
            return {o["Key"]: o["Size"] for page in pages for o in page.get("Contents", [])}

        return self._asked(f"list {prefix}", listed) or {}

    def _put(self, key: str, data: bytes, **condition: Any) -> bool:  # noqa: ANN401  # boto3's own
        def put() -> bool:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data, **condition)
            return True

        return self._asked(f"write {key}", put, _NOT_MET) is not None

    def _asked(
        self, what: str, call: Callable[[], Answer], answers: set[str] | None = None
    ) -> Answer | None:
        """Ask the store; None where it answers with one of `answers`."""
        try:
            return call()
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if answers and code in answers:
                return None
            raise ModelError(self._refused(what, code, error)) from error
        except (BotoCoreError, OSError) as error:
            raise ModelError(
                f"the store cannot be reached to {what}: {error}. Check [store] in the settings "
                "(--config, LEUKOSCOPE_MODEL_STORE__ENDPOINT, …)"
            ) from error

    def _refused(self, what: str, code: str, error: ClientError) -> str:
        if code == "NoSuchBucket":
            return (
                f"there is no bucket {self._bucket} at {self._where}: "
                "run leukoscope-cloud setup, or name another one in [store]"
            )
        return f"the store refused to {what}: {error}"
