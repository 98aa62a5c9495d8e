"""What a run shows while it goes on: a bar for each file under way and one for all of it."""

import contextlib
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.filesize import decimal
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

_NAME_WIDTH = 40


class Bar:
    """The progress of one file, and through it of the whole."""

    def __init__(self, board: "Board", task: TaskID, size: int) -> None:
        self._board = board
        self._task = task
        self._size = size
        self._done = 0

    def advance(self, count: int, *, moved: bool = True) -> None:
        """Count bytes: those that just moved, those found there already, or, negative, those lost again."""
        self._done += count
        self._board.advance(self._task, count, moved=moved)

    def settle(self) -> None:
        """Fill up the whole's bar by what this file did not move, since it is done with."""
        self._board.advance(self._task, self._size - self._done, moved=False)


class Board:
    """All bars, on standard error; quiet when that is no terminal. To be used as a context manager."""

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
        self._in_trouble = False
        self.moved = 0
        """Bytes that went over the network."""

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal clean."""
        self._progress.stop()

    @contextlib.contextmanager
    def file(self, name: str, size: int) -> Iterator[Bar]:
        """A bar for a file of ``size`` bytes, for as long as it is worked on."""
        shown = name if len(name) <= _NAME_WIDTH else f"{name[: _NAME_WIDTH - 1]}…"
        task = self._progress.add_task(f"  {escape(printable(shown))}", total=size)
        bar = Bar(self, task, size)
        try:
            yield bar
        finally:
            bar.settle()
            self._progress.remove_task(task)

    def advance(self, task: TaskID, count: int, *, moved: bool) -> None:
        """Count bytes of one file."""
        self._progress.advance(task, count)
        self._progress.advance(self._whole, count)
        if moved:
            self.moved += count
            if count > 0 and self._in_trouble:
                self._in_trouble = False
                self._progress.update(self._whole, description=self._verb)

    def trouble(self, reason: str) -> None:
        """Say that it waits, and for what."""
        self._in_trouble = True
        self._progress.update(
            self._whole, description=f"{self._verb} [yellow]({escape(printable(reason))}; trying again)"
        )

    def expect(self, size: int) -> None:
        """There is more to do than was known: ``size`` bytes in all."""
        self._progress.update(self._whole, total=size)

    def done(self, text: str) -> None:
        """Tell of a success, on standard output."""
        self._say(printable(text), on_error=False)

    def failed(self, name: str, reason: str) -> None:
        """Tell of a failure, on standard error."""
        self._say(f"{printable(name)}: {printable(reason)}", on_error=True)

    def _say(self, line: str, *, on_error: bool) -> None:
        if self._console.is_terminal:
            # Above the bars, which are redrawn below it.
            self._console.print(line, markup=False, soft_wrap=True)
        else:
            stream = sys.stderr if on_error else sys.stdout
            stream.write(f"{line}\n")
            stream.flush()


def printable(text: str) -> str:
    """``text`` without anything that a terminal would obey; names and reasons come from others."""
    return "".join(character if character.isprintable() else "�" for character in text)


def amount(size: int) -> str:
    """``size`` bytes for people."""
    return decimal(size)
