"""The worker's store: S3 through obstore, every request repeated until it is answered."""

from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

import obstore
import stamina
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from cloud.settings import StoreSettings

Answer = TypeVar("Answer")


class Objects:
    """Puts and gets by key. Waits as long as the store is away; cancel to give up.

    Args:
        store: from `open_store`.
        retry_max_s: longest wait between two tries, in seconds.
        on_answer: told after every request: None when the store answered, else why it did not.
    """

    def __init__(
        self, store: S3Store, retry_max_s: float, on_answer: Callable[[str | None], None]
    ) -> None:
        self._store = store
        self._on_answer = on_answer
        self._retrying = stamina.AsyncRetryingCaller(
            attempts=None, timeout=None, wait_initial=0.1, wait_max=retry_max_s, wait_jitter=0.5
        )

    async def put(self, key: str, data: bytes) -> None:
        """Write an object, over whatever was there."""
        await self._until_answered(lambda: self._write(key, data, "overwrite"))

    async def create(
        self, key: str, data: bytes, ask: Callable[[], Awaitable[None]] | None = None
    ) -> bool:
        """Write an object only if there is none (If-None-Match: *).

        Args:
            key: its key.
            data: what it holds.
            ask: asked before every try, which may be hours after the first; ends it by raising.

        Returns:
            Whether it was created; False when the key was taken, also by an earlier try of this
            very call whose answer was lost.
        """

        async def written() -> bool:
            if ask is not None:
                await ask()
            return await self._write(key, data, "create")

        return await self._until_answered(written)

    async def get(self, key: str) -> bytes | None:
        """Read an object; None when there is none."""
        return await self._until_answered(lambda: self._read(key))

    async def delete(self, key: str) -> None:
        """Delete an object; where there is none, that is well, too."""
        await self._until_answered(lambda: self._remove(key))

    async def sizes(self, prefix: str) -> dict[str, int]:
        """Bytes of every object under a prefix, by key."""
        return await self._until_answered(lambda: self._list(prefix))

    async def _until_answered(self, request: Callable[[], Awaitable[Answer]]) -> Answer:
        """Try once plainly, which is the rule and costs nothing; then with backoff for ever."""
        try:
            return await request()
        except Exception as error:
            if not _may_pass(error):
                raise
        return await self._retrying(_may_pass, request)

    async def _write(self, key: str, data: bytes, mode: Literal["create", "overwrite"]) -> bool:
        try:
            await obstore.put_async(self._store, key, data, mode=mode, use_multipart=False)
        except AlreadyExistsError:
            self._on_answer(None)
            return False
        except (BaseError, OSError) as error:
            self._on_answer(_first_line(error))
            raise
        self._on_answer(None)
        return True

    async def _read(self, key: str) -> bytes | None:
        try:
            response = await obstore.get_async(self._store, key)
            data = bytes(await response.bytes_async())
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                self._on_answer("the bucket does not exist: run leukoscope-cloud setup")
                raise
            self._on_answer(None)
            return None
        except (BaseError, OSError) as error:
            self._on_answer(_first_line(error))
            raise
        self._on_answer(None)
        return data

    async def _remove(self, key: str) -> None:
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            self._on_answer(None)
        except (BaseError, OSError) as error:
            self._on_answer(_first_line(error))
            raise
        else:
            self._on_answer(None)

    async def _list(self, prefix: str) -> dict[str, int]:
        try:
            found = {
                item["path"]: item["size"]
                async for batch in obstore.list(self._store, prefix)
                for item in batch
            }
        except (BaseError, OSError) as error:
            self._on_answer(_first_line(error))
            raise
        self._on_answer(None)
        return found


def open_store(settings: StoreSettings) -> S3Store:
    """Open the bucket; nothing is sent yet."""
    secret = settings.secret_access_key
    plain_http = (settings.endpoint or "").startswith("http://")
    given = {
        "endpoint": settings.endpoint,
        "access_key_id": settings.access_key_id,
        "secret_access_key": secret.get_secret_value() if secret else None,
    }
    return S3Store(
        settings.bucket,
        # obstore takes no None: what is not given it finds as Amazon's own tools do.
        **{name: value for name, value in given.items() if value is not None},  # type: ignore[arg-type]  # all of them are str
        region=settings.region,
        virtual_hosted_style_request=not settings.path_style,
        client_options={"allow_http": plain_http, "timeout": f"{settings.timeout_s}s"},
        retry_config={"max_retries": 0},  # ours retries, so that every failure is seen
    )


def _may_pass(error: Exception) -> bool:
    # Whatever the store answers, also wrong credentials: a frame in hand must not be lost over an
    # operator's mistake. Each failure is told to `on_answer` and shows in /healthz.
    return isinstance(error, BaseError | OSError)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
