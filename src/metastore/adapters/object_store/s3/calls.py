"""Requests to the server, with a time limit and errors translated into those of the port."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from aiohttp import ClientError as HttpError
from botocore.exceptions import BotoCoreError, ClientError

from metastore.ports.object_store import (
    ObjectNotFoundError,
    ObjectStoreError,
    StoreFullError,
    StoreUnavailableError,
    UploadNotFoundError,
)

Response = TypeVar("Response")

DEADLINE_SECONDS = 28.0
_UPLOAD_NOT_FOUND = frozenset({"NoSuchUpload"})
_NOT_FOUND = frozenset({"NoSuchKey", "404", "NotFound"})
_FULL = frozenset({"InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "507"})


async def call(request: Awaitable[Response], *, about: str = "", timeout: float | None = None) -> Response:
    """Await a request for at most ``timeout`` seconds (default ``DEADLINE_SECONDS``) and return its response.

    ``about`` is a key or id for error messages.

    Raises:
        ObjectStoreError: one of the port's errors.
    """
    # Not asyncio.timeout(), which cannot cancel the tasks of the HTTP server that this may run in.
    task = asyncio.ensure_future(request)
    try:
        done, _ = await asyncio.wait((task,), timeout=DEADLINE_SECONDS if timeout is None else timeout)
        if not done:
            raise StoreUnavailableError("the object store did not respond in time")
        with server_errors(about):
            return task.result()
    finally:
        task.cancel()


@contextmanager
def server_errors(about: str = "") -> Iterator[None]:
    """Raise the port's errors for errors of the client library."""
    try:
        yield
    except ClientError as error:
        raise _translate(error, about) from error
    except (BotoCoreError, HttpError, OSError) as error:
        raise StoreUnavailableError(f"the object store is unreachable: {error}") from error


def error_code(error: BaseException | None) -> str:
    """Return the server's error code, or an empty string if ``error`` has none."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def retries_of(error: BaseException | None) -> int:
    """Return how many times the failed request had been retried."""
    if not isinstance(error, ClientError):
        return 0
    return int(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0))


def _translate(error: ClientError, about: str) -> ObjectStoreError:
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _UPLOAD_NOT_FOUND:
        return UploadNotFoundError(about)
    if code in _NOT_FOUND:
        return ObjectNotFoundError(about)
    if code in _FULL or status == 507:
        return StoreFullError("the object store has no space left")
    return StoreUnavailableError(f"the object store refused the request: {code or status}")
