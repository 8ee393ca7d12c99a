"""Makes the bucket ready: once per bucket, with boto3; running it again changes nothing."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cloud.settings import StoreSettings
from cloud.stores import keys
from wire.registry import MODELS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LAYOUT: Final = {
    "notice": "Research use only.",
    "prefixes": {
        keys.FRAMES: "captured fields, JPEG: {site}/{device}/{capture}.{sha256, 8 digits}.jpg",
        keys.RESULTS: "one result a capture, JSON: {site}/{device}/{capture}.json",
        keys.SLIDES: "which captures are of a slide: {site}/{slide}/fields/{device}/{capture}; "
        "signed reports for others: {site}/{slide}/reports/{number}.fhir.json, .pdf",
        keys.REVIEWS: "what readers did, signed and chained: {site}/{slide}/{number}.json",
        keys.WITNESSES: "SHA-256 of each such entry: {site}/{slide}/{number}",
        keys.SLIDES_DUE: "notes of workers, seconds old: slides to be added up",
        keys.REPORTS_DUE: "notes, seconds old unless a FHIR server is away: signed reports to be "
        "kept and posted: {site}/{slide}/{number}",
        keys.FHIR_LETTERS: "signed reports that the FHIR server refused, and why: "
        "{site}/{slide}/{number}.json",
        keys.DEAD_LETTERS: "refused payloads and why: {site}/{device}/{payload sha256}.bin, .json",
        MODELS: "model bundles: {name}/{version}/…; {name}/current.json says which is live",
    },
}

_HAVE_BUCKET = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}
_UNSUPPORTED = {"NotImplemented", "MethodNotAllowed", "XNotImplemented", "UnsupportedOperation"}


class SetupError(RuntimeError):
    """The store refused a step; the message names it."""


def open_client(settings: StoreSettings) -> "S3Client":
    """A boto3 client for tools: set-up, registry, presigned URLs."""
    client: S3Client = boto3.client(
        "s3", **settings.boto3_client(), config=Config(**settings.boto3_config())
    )
    return client


def set_up(settings: StoreSettings, said: Callable[[str], None]) -> None:
    """Create bucket, layout note and lifecycle rules.

    Args:
        settings: of the store.
        said: told each step in a sentence.

    Raises:
        SetupError: the store cannot be reached, or refuses.
    """
    client = open_client(settings)
    bucket = settings.bucket
    _create_bucket(client, settings, said)
    body = msgspec.json.format(msgspec.json.encode(LAYOUT), indent=2)
    _step(
        f"write {keys.LAYOUT}", lambda: client.put_object(Bucket=bucket, Key=keys.LAYOUT, Body=body)
    )
    said(f"prefixes {', '.join(LAYOUT['prefixes'])} described in {keys.LAYOUT}")
    _block_public_access(client, bucket, said)
    _set_lifecycle(client, settings, said)


def _create_bucket(
    client: "S3Client", settings: StoreSettings, said: Callable[[str], None]
) -> None:
    where: dict[str, Any] = {}
    if (
        settings.endpoint is None and settings.region != "us-east-1"
    ):  # AWS names its first region so
        where["CreateBucketConfiguration"] = {"LocationConstraint": settings.region}
    try:
        client.create_bucket(Bucket=settings.bucket, **where)
    except ClientError as error:
        if _code(error) not in _HAVE_BUCKET:
            raise SetupError(
                f"the store refused to create bucket {settings.bucket}: {error}"
            ) from error
        _step(f"read bucket {settings.bucket}", lambda: client.head_bucket(Bucket=settings.bucket))
        said(f"bucket {settings.bucket} is there")
    except BotoCoreError as error:
        raise SetupError(f"the store cannot be reached: {error}") from error
    else:
        said(f"bucket {settings.bucket} created")


def _block_public_access(client: "S3Client", bucket: str, said: Callable[[str], None]) -> None:
    every = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    done = _step(
        "block public access",
        lambda: client.put_public_access_block(
            Bucket=bucket,
            PublicAccessBlockConfiguration=every,  # type: ignore[arg-type]  # a plain dict of its four keys
        ),
        optional=True,
    )
    said(
        "public access blocked"
        if done
        else "this store knows no public access block: check its policy"
    )


def _set_lifecycle(
    client: "S3Client", settings: StoreSettings, said: Callable[[str], None]
) -> None:
    rules = [_expiry(keys.DEAD_LETTERS, settings.dead_letter_days)]
    if settings.frame_days is not None:
        rules.append(_expiry(keys.FRAMES, settings.frame_days))
    done = _step(
        "set the lifecycle",
        lambda: client.put_bucket_lifecycle_configuration(
            Bucket=settings.bucket,
            LifecycleConfiguration={"Rules": rules},  # type: ignore[typeddict-item]  # plain dicts
        ),
        optional=True,
    )
    if done:
        said(
            "; ".join(
                f"{r['Filter']['Prefix']} expires after {r['Expiration']['Days']} days"
                for r in rules
            )
        )
    else:
        said("this store knows no lifecycle rules: remove old dead letters by hand")


def _expiry(prefix: str, days: int) -> dict[str, Any]:
    return {
        "ID": f"leukoscope-{prefix.rstrip('/')}",
        "Status": "Enabled",
        "Filter": {"Prefix": prefix},
        "Expiration": {"Days": days},
    }


def _step(what: str, call: Callable[[], object], *, optional: bool = False) -> bool:
    try:
        call()
    except ClientError as error:
        if optional and _code(error) in _UNSUPPORTED:
            return False
        raise SetupError(f"the store refused to {what}: {error}") from error
    except BotoCoreError as error:
        raise SetupError(f"the store cannot be reached to {what}: {error}") from error
    return True


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
