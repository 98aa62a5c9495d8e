"""Progress bars: one for each file being transferred and one for the whole run."""

import contextlib
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from metastore.entrypoints.cli.terminal import printable

_NAME_WIDTH = 40


class Bar:
    """The bar of one file, which also advances the bar of the whole run."""

    def __init__(self, board: "Board", task: TaskID, size: int) -> None:
        self._board = board
        self._task = task
        self._size = size
        self._done = 0

    def advance(self, count: int, *, moved: bool = True) -> None:
        """Add bytes, as ``metastore.client.progress`` describes."""
        self._done += count
        self._board.advance(self._task, count, moved=moved)

    def leave(self, count: int) -> None:
        """Leave ``count`` of the bytes to the bar of another file."""
        self._size -= count

    def settle(self) -> None:
        """Fill the bar of the whole run by the rest of this file, which is finished or has failed."""
        self._board.advance(self._task, self._size - self._done, moved=False)


class Board:
    """A context manager that draws all bars on standard error, if that is a terminal."""

    def __init__(self, verb: str, size: int, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._verb = verb
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
        )
        self._whole = self._progress.add_task(verb, total=size)
        self._is_waiting = False
        self.moved = 0
        """Bytes transferred over the network."""

    def __enter__(self) -> Self:
        """Start drawing."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the bars."""
        self._progress.stop()

    @contextlib.contextmanager
    def file(self, name: str, size: int) -> Iterator[Bar]:
        """Show a bar for a file of ``size`` bytes until the end of the block."""
        shown = name if len(name) <= _NAME_WIDTH else f"{name[: _NAME_WIDTH - 1]}…"
        task = self._progress.add_task(f"  {escape(printable(shown))}", total=size)
        bar = Bar(self, task, size)
        try:
            yield bar
        finally:
            bar.settle()
            self._progress.remove_task(task)

    def advance(self, task: TaskID, count: int, *, moved: bool) -> None:
        """Add bytes of one file."""
        self._progress.advance(task, count)
        self._progress.advance(self._whole, count)
        if moved:
            self.moved += count
            if count > 0 and self._is_waiting:
                self._is_waiting = False
                self._progress.update(self._whole, description=self._verb)

    def waiting(self, reason: str) -> None:
        """Show that the run waits before a retry, and the reason."""
        self._is_waiting = True
        self._progress.update(self._whole, description=f"{self._verb} [yellow]({escape(printable(reason))}; retrying)")

    def expect(self, size: int) -> None:
        """Set the size of the whole run in bytes."""
        self._progress.update(self._whole, total=size)

    def done(self, text: str) -> None:
        """Report a success on standard output."""
        self._report(printable(text), on_error=False)

    def failed(self, name: str, reason: str) -> None:
        """Report a failure on standard error."""
        self._report(f"{printable(name)}: {printable(reason)}", on_error=True)

    def _report(self, line: str, *, on_error: bool) -> None:
        if self._console.is_terminal:
            # Print above the bars, which are redrawn below.
            self._console.print(line, markup=False, soft_wrap=True)
        else:
            stream = sys.stderr if on_error else sys.stdout
            stream.write(f"{line}\n")
            stream.flush()
