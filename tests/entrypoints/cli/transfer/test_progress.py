import io

import pytest
from rich.console import Console

from metastore.entrypoints.cli.terminal import printable
from metastore.entrypoints.cli.transfer.progress import Board


def test_bars_are_drawn_on_a_terminal_and_cleared() -> None:
    screen = io.StringIO()
    with Board("Uploading", 100, Console(file=screen, force_terminal=True, width=120)) as board:
        with board.file("film.bin", 100) as bar:
            bar.advance(60)
            bar.advance(-10)
            bar.advance(50)
        board.done("film.bin → /film.bin")
    shown = screen.getvalue()
    assert "film.bin" in shown
    assert "Uploading" in shown
    assert board.moved == 100


def test_without_a_terminal_only_results_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with Board("Uploading", 100, Console(file=io.StringIO())) as board, board.file("film.bin", 100) as bar:
        bar.advance(100)
        board.waiting("The server responded with 503")
        board.done("film.bin → /film.bin")
        board.failed("other.bin", "No.")
    assert tuple(capsys.readouterr()) == ("film.bin → /film.bin\n", "other.bin: No.\n")


def test_control_characters_are_not_printed() -> None:
    assert printable("a\x1b[2Jb\n\u202ec") == "a�[2Jb��c"
