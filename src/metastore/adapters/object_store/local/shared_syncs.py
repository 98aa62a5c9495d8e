"""Changes that come at the same time share their syncs, as transactions share a commit (``kit.database.group_commit``).

A change needs two syncs: of its files before they become visible, and of the rename that makes them visible. On a
journaling file system each costs nearly the same for any number of small files. So one group of changes is made at a
time, and those that come meanwhile are the next one. A group syncs the whole file system twice. For six objects of
22 kB that takes a third of the time, and a third of the processor time, of syncing their files and folders.

A change that comes alone syncs its own files and nothing else. Syncing the file system also writes what others have
changed there, so when that was slow, changes are made separately for a while.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from metastore.adapters.object_store.local.durable_io import file_system_sync
from metastore.adapters.object_store.local.thread_pools import FileThreads, result_of

SMALL = 2**20
"""Changes that write more bytes than this must not delay others."""
MAX_CHANGES = 50
SLOW_SECONDS = 0.25
SEPARATE_SECONDS = 5.0


class Change(Protocol):
    """A change of the store. Its methods block. They are called in the order in which they are declared here."""

    def make_alone(self) -> None:
        """Make the whole change, which is on disk when this returns. An error leaves nothing behind."""
        ...

    def prepare(self) -> None:
        """Write files that are not visible yet, without syncing them."""
        ...

    def publish(self) -> None:
        """Make them visible, now that they are on disk."""
        ...

    def finish(self) -> None:
        """Remove what is no longer needed, now that the change is on disk."""
        ...

    def undo(self, *, published: bool) -> None:
        """Leave nothing behind, after ``prepare``, ``publish`` or a sync has failed."""
        ...


class SharedSyncs:
    """Makes changes on the file system of ``root``; makes them separately after a sync of over ``slow_seconds``."""

    def __init__(self, root: Path, threads: FileThreads, *, slow_seconds: float = SLOW_SECONDS) -> None:
        self._root = root
        self._threads = threads
        self._waiting: list[tuple[Change, asyncio.Future[None]]] = []
        self._working = False
        self._slow_seconds = slow_seconds
        self._separate_until = 0.0

    async def make(self, change: Change) -> None:
        """Make a change, which is on disk when this returns.

        A cancelled call returns only after the change was made or has failed.

        Raises:
            ObjectStoreError: what the change raises, or one for an error of the disk.
        """
        if time.monotonic() < self._separate_until:
            await self._threads.call(change.make_alone)
            return
        made: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, made))
        if not self._working:
            self._make_waiting()
        await result_of(made)

    def _make_waiting(self) -> None:
        group, self._waiting = self._waiting[:MAX_CHANGES], self._waiting[MAX_CHANGES:]
        changes = [change for change, _ in group]
        try:
            work = self._threads.submit(partial(_make, self._root, changes))
        except RuntimeError as error:  # the store is closed
            for _, made in (*group, *self._waiting):
                made.set_exception(error)
            self._waiting = []
            return
        self._working = True
        work.add_done_callback(partial(self._end, [made for _, made in group]))

    def _end(
        self, group: Sequence[asyncio.Future[None]], work: "asyncio.Future[tuple[list[Exception | None], float]]"
    ) -> None:
        self._working = False
        errors, slowest_sync = work.result()
        if slowest_sync > self._slow_seconds:
            self._separate_until = time.monotonic() + SEPARATE_SECONDS
        for made, error in zip(group, errors, strict=True):
            if error is None:
                made.set_result(None)
            else:
                made.set_exception(error)
        if self._waiting:
            self._make_waiting()


def _make(root: Path, changes: Sequence[Change]) -> tuple[list[Exception | None], float]:
    """Make changes. Return the error of each, and the seconds that the slowest sync of the file system took."""
    attempts = [_Attempt(change) for change in changes]
    if len(attempts) == 1:
        attempts[0].make_alone()
        return [attempts[0].error], 0.0
    slowest_sync = 0.0

    def sync_all() -> None:
        nonlocal slowest_sync
        started = time.monotonic()
        sync()
        slowest_sync = max(slowest_sync, time.monotonic() - started)

    try:
        with file_system_sync(root) as sync:
            for attempt in attempts:
                attempt.prepare()
            sync_all()
            for attempt in attempts:
                attempt.publish()
            sync_all()
    except Exception as error:  # noqa: BLE001  each change raises it
        for attempt in attempts:
            attempt.fail(error)
    for attempt in attempts:
        attempt.finish()
    return [attempt.error for attempt in attempts], slowest_sync


class _Attempt:
    """A change being made, and its error. After an error, further steps do nothing."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self._published = False
        self.error: Exception | None = None

    def make_alone(self) -> None:
        try:
            self._change.make_alone()
        except Exception as error:  # noqa: BLE001  raised by ``SharedSyncs.make``
            self.error = error

    def prepare(self) -> None:
        self._do(self._change.prepare)

    def publish(self) -> None:
        self._do(self._change.publish)
        self._published = self.error is None

    def finish(self) -> None:
        if self.error is None:
            try:
                self._change.finish()
            except Exception as error:  # noqa: BLE001  raised by ``SharedSyncs.make``
                self.error = error

    def fail(self, error: Exception) -> None:
        if self.error is None:
            self.error = error
            with contextlib.suppress(OSError):
                self._change.undo(published=self._published)

    def _do(self, step: Callable[[], None]) -> None:
        if self.error is None:
            try:
                step()
            except Exception as error:  # noqa: BLE001  raised by ``SharedSyncs.make``
                self.fail(error)
