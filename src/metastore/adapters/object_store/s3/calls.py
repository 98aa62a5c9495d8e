"""Calling the server: a deadline for each call, and what its errors mean."""

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

Answer = TypeVar("Answer")

DEADLINE_SECONDS = 28.0
_UPLOAD_GONE = frozenset({"NoSuchUpload"})
_NOT_FOUND = frozenset({"NoSuchKey", "404", "NotFound"})
_FULL = frozenset({"InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "507"})


async def ask(call: Awaitable[Answer], *, about: str = "", seconds: float | None = None) -> Answer:
    """The server's answer, within ``seconds``, else ``DEADLINE_SECONDS``; errors come out as the port's.

    ``about`` is a key or id, for messages.
    """
    # Not asyncio.timeout(): the HTTP server's own tasks cannot be cancelled by it.
    task = asyncio.ensure_future(call)
    try:
        done, _ = await asyncio.wait((task,), timeout=DEADLINE_SECONDS if seconds is None else seconds)
        if not done:
            raise StoreUnavailableError("the object store did not answer in time")
        with server_errors(about):
            return task.result()
    finally:
        task.cancel()


@contextmanager
def server_errors(about: str = "") -> Iterator[None]:
    """Turn errors of the client library into those of the port."""
    try:
        yield
    except ClientError as error:
        raise _meaning(error, about) from error
    except (BotoCoreError, HttpError, OSError) as error:
        raise StoreUnavailableError(f"the object store cannot be reached: {error}") from error


def error_code(error: BaseException | None) -> str:
    """The server's error code behind an error of the port; empty when there is none."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def retries_of(error: BaseException | None) -> int:
    """How many times the request had been sent again before it failed for good."""
    if not isinstance(error, ClientError):
        return 0
    return int(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0))


def _meaning(error: ClientError, about: str) -> ObjectStoreError:
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _UPLOAD_GONE:
        return UploadNotFoundError(about)
    if code in _NOT_FOUND:
        return ObjectNotFoundError(about)
    if code in _FULL or status == 507:
        return StoreFullError("the object store has no room left")
    return StoreUnavailableError(f"the object store refused: {code or status}")
