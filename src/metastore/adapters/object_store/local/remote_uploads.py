"""Calls to the process of the data plane, which has the state of open uploads: both ends, and the messages.

The two processes are of one version, so the protocol has none. A message is its length (4 bytes, big-endian) and a JSON
array. Calls may overlap: an answer begins with the number of its call. When the stream ends, the other process has
ended, and open calls raise ``StoreUnavailableError``.

A call is ``[number, name, arguments]``. An answer is ``[number, "ok", result]``, ``[number, <error class>, message]``
or ``[number, "InvalidPartError", [part, reason]]``.
"""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import astuple
from datetime import datetime
from typing import Any, Protocol

import structlog

from metastore.adapters.object_store.local.thread_pools import result_of
from metastore.adapters.object_store.local.upload_files import UploadFiles
from metastore.ports.object_store import (
    CompletedPart,
    DamagedObjectError,
    InvalidPartError,
    ObjectStore,
    ObjectStoreError,
    Part,
    StoredObject,
    StoreFullError,
    StoreUnavailableError,
    UploadNotFoundError,
    UploadTarget,
)

_LENGTH_BYTES = 4
_OK = "ok"
_ERRORS: dict[str, type[ObjectStoreError]] = {
    each.__name__: each
    for each in (ObjectStoreError, UploadNotFoundError, StoreFullError, StoreUnavailableError, DamagedObjectError)
}
_log = structlog.get_logger(__name__)


class RemoteUploads:
    """``OpenUploads`` in another process. Calls raise ``StoreUnavailableError`` while no process is attached."""

    def __init__(self) -> None:
        self._writer: asyncio.StreamWriter | None = None
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    def attach(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Coroutine[Any, Any, None]:
        """Call the process at the other end of the stream from now on.

        Run what this returns, which receives the answers, until the stream ends.
        """
        self._writer = writer
        return self._receive(reader, writer)

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (message := await _read(reader)) is not None:
                number, status, result = message
                waiting = self._waiting.pop(number)
                if status == _OK:
                    waiting.set_result(result)
                else:
                    waiting.set_exception(_error_of(status, result))
        finally:
            self._writer = None
            writer.close()
            for waiting in self._waiting.values():
                waiting.set_exception(StoreUnavailableError("the process of the data plane has ended"))
            self._waiting.clear()

    def created(self, upload_id: str, files: UploadFiles) -> None:
        """Implement ``OpenUploads``: the other process reads the upload from its folder."""

    async def list_parts(self, target: UploadTarget) -> list[Part]:
        """Implement ``OpenUploads``."""
        return [Part(*fields) for fields in await self._call("list_parts", *astuple(target))]

    async def complete(self, target: UploadTarget, parts: Sequence[CompletedPart]) -> StoredObject:
        """Implement ``OpenUploads``."""
        named = [(part.number, part.etag) for part in parts]
        key, size, etag, checksum, modified_at = await self._call("complete", *astuple(target), named)
        return StoredObject(key, size, etag, checksum, datetime.fromisoformat(modified_at))

    async def abort(self, key: str, upload_id: str) -> None:
        """Implement ``OpenUploads``."""
        await self._call("abort", key, upload_id)

    async def forget(self, keys: Sequence[str]) -> None:
        """Implement ``OpenUploads``."""
        # A process that has ended has no open files, and the next one opens none of these.
        with contextlib.suppress(StoreUnavailableError):
            await self._call("forget", list(keys))

    async def check(self) -> None:
        """Implement ``OpenUploads``."""
        await self._call("check")

    async def drain(self, seconds: float) -> None:
        """Let the other process finish its transfers within that time. It still answers calls afterwards.

        Raises:
            StoreUnavailableError: it has ended.
        """
        await self._call("drain", seconds)

    async def _call(self, name: str, *arguments: object) -> Any:  # noqa: ANN401  JSON
        if self._writer is None:
            raise StoreUnavailableError("the process of the data plane is not running")
        number = next(self._numbers)
        waiting: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        _write(self._writer, [number, name, arguments])
        # A cancelled call ends only once it has its response, as one in this process does.
        return await result_of(waiting)


class ServingStore(ObjectStore, Protocol):
    """The store in the process of the data plane."""

    async def forget(self, keys: Sequence[str]) -> None:
        """Close the files of deleted objects."""
        ...


class CallServer:
    """Answers the calls of ``RemoteUploads`` from ``store``; ``drain`` is what the call of this name does."""

    def __init__(self, store: ServingStore, drain: Callable[[float], Awaitable[None]]) -> None:
        self._store = store
        self._calls: dict[str, Callable[..., Awaitable[object]]] = {
            "list_parts": self._list_parts,
            "complete": self._complete,
            "abort": store.abort_multipart,
            "forget": store.forget,
            "check": store.check,
            "drain": drain,
        }

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer calls. Returns when the stream has ended and all of them are executed."""
        async with asyncio.TaskGroup() as tasks:
            while (message := await _read(reader)) is not None:
                tasks.create_task(self._respond(writer, *message))
        writer.close()

    async def _respond(self, writer: asyncio.StreamWriter, number: int, name: str, arguments: list[Any]) -> None:
        status, result = await self._execute(name, arguments)
        _write(writer, [number, status, result])

    async def _execute(self, name: str, arguments: list[Any]) -> tuple[str, object]:
        try:
            return _OK, await self._calls[name](*arguments)
        except InvalidPartError as error:
            return InvalidPartError.__name__, (error.number, error.reason)
        except ObjectStoreError as error:
            return type(error).__name__, str(error)
        except Exception:  # noqa: BLE001  the caller must get an answer
            _log.exception("a call to the data plane failed", call=name)
            return StoreUnavailableError.__name__, "the data plane failed"

    async def _list_parts(self, *target: Any) -> object:  # noqa: ANN401  JSON
        return [(part.number, part.etag, part.size) for part in await self._store.list_parts(UploadTarget(*target))]

    async def _complete(self, key: str, upload_id: str, size: int, part_size: int, parts: list[list[Any]]) -> object:
        named = [CompletedPart(*fields) for fields in parts]
        stored = await self._store.complete_multipart(UploadTarget(key, upload_id, size, part_size), named)
        return stored.key, stored.size, stored.etag, stored.checksum, stored.modified_at.isoformat()


def _error_of(name: str, result: Any) -> ObjectStoreError:  # noqa: ANN401  JSON
    if name == InvalidPartError.__name__:
        return InvalidPartError(*result)
    return _ERRORS.get(name, ObjectStoreError)(result)


def _write(writer: asyncio.StreamWriter, message: list[object]) -> None:
    text = json.dumps(message, separators=(",", ":")).encode()
    writer.write(len(text).to_bytes(_LENGTH_BYTES) + text)


async def _read(reader: asyncio.StreamReader) -> list[Any] | None:
    try:
        length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES))
        message: list[Any] = json.loads(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return message
