"""Office documents are drawn by a program that can do no harm; here a program stands in for it."""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from metastore.adapters.media_tools.office import Office, OfficeLimits
from metastore.adapters.media_tools.tools import ChildProcessTools
from metastore.ports.media_tools import NothingToSeeError
from tests.adapters.media_tools.given import near, shown, source
from tests.adapters.media_tools.test_documents import RED, pdf
from tests.fixtures.waiting import eventually

ODT = "application/vnd.oasis.opendocument.text"
Standing = Callable[[str], None]
_QUICK = OfficeLimits(seconds=20, cpu_seconds=2, written=16 * 2**20, pdf_size=2**20)


@pytest.fixture
def standing_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Standing:
    """Puts a program of that name first on the search path; beside it lies a page."""

    def stand_in(script: str) -> None:
        folder = tmp_path / "programs"
        folder.mkdir()
        (folder / "page.pdf").write_bytes(pdf())
        (folder / "soffice").write_text(f"#!/bin/bash\nhere=$(dirname $0)\n{script}\n")
        (folder / "soffice").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    return stand_in


def tools() -> ChildProcessTools:
    return ChildProcessTools(office=Office(_QUICK))


_DRAW = "cp $here/page.pdf /tmp/document.pdf"


async def test_a_document_is_drawn_by_the_program(standing_in: Standing) -> None:
    standing_in(f'[ "$(cat "${{!#}}")" = "the document" ] && {_DRAW}')
    office = tools()
    given = source(b"the document", ODT)
    assert office.can_show(ODT)
    assert "odt" == (await office.probe(given)).container
    (made,) = await office.thumbnails(given, sizes=[256])
    assert near(RED, shown(made), (100, 100))


async def test_without_the_program_documents_cannot_be_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not tools().can_show(ODT)
    with pytest.raises(NothingToSeeError):
        await tools().thumbnails(source(b"the document", ODT), sizes=[256])


async def test_a_program_that_cannot_be_shut_in_is_not_used(
    standing_in: Standing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    standing_in(_DRAW)
    child = tmp_path / "child.py"
    child.write_text("import sys; sys.exit(97)")
    monkeypatch.setattr("metastore.adapters.media_tools.office._CHILD", ("/usr/bin/env", "python3", str(child)))
    assert not tools().can_show(ODT)


async def test_the_program_sees_no_file_no_process_no_setting_and_no_server(
    standing_in: Standing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What it does see would keep it from drawing."""
    (tmp_path / "secret").write_text("the secret of the house")
    monkeypatch.setenv("METASTORE_SECRET_KEY", "the key of the house")
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.setblocking(False)
        port = canary.getsockname()[1]
        standing_in(
            f"cat {tmp_path}/secret && exit\n"
            "cat /etc/passwd && exit\n"
            f"(exec 3<>/dev/tcp/127.0.0.1/{port}) && exit\n"
            f"kill -0 {os.getpid()} && exit\n"
            '[ -z "$METASTORE_SECRET_KEY" ] || exit\n'
            "touch $here/x && exit\n"
            "touch /usr/x && exit\n"
            f"{_DRAW}"
        )
        assert await tools().thumbnails(source(b"the document", ODT), sizes=[256])
        with pytest.raises(BlockingIOError):
            canary.accept()


async def test_the_program_leaves_nothing_behind(standing_in: Standing, tmp_path: Path) -> None:
    standing_in(f"echo x > /tmp/left-by-the-program; touch $HOME/left-by-the-program; (sleep 4321 &) ; {_DRAW}")
    assert await tools().thumbnails(source(b"the document", ODT), sizes=[256])
    assert [] == [file for folder in (Path("/tmp"), tmp_path / "programs") for file in _files(folder, "left-by-*")]
    await eventually(lambda: not _running("sleep\0" + "4321"))


_FAILING = {
    "draws nothing": "true",
    "fails": "exit 3",
    "draws what is no document": "echo nonsense > /tmp/document.pdf",
    "writes too much": "head -c 100000000 /dev/zero > /tmp/much; head -c 100000000 /dev/zero > /tmp/more",
    "draws too much": "head -c 3000000 /dev/zero > /tmp/document.pdf",
    "calculates too long": "while :; do :; done",
}


@pytest.mark.parametrize("name", _FAILING)
async def test_a_document_that_cannot_be_drawn_is_no_failure(name: str, standing_in: Standing) -> None:
    standing_in(_FAILING[name])
    with pytest.raises(NothingToSeeError, match=r"^The document .*\.$"):
        await tools().thumbnails(source(b"the document", ODT), sizes=[256])


async def test_a_program_that_hangs_is_ended(standing_in: Standing) -> None:
    standing_in("sleep 5432 & wait")
    office = ChildProcessTools(office=Office(OfficeLimits(seconds=2)))
    with pytest.raises(NothingToSeeError):
        await office.thumbnails(source(b"the document", ODT), sizes=[256])
    await eventually(lambda: not _running("sleep\0" + "5432"))


async def test_a_program_ends_with_who_asked(standing_in: Standing) -> None:
    standing_in("sleep 6543 & wait")
    asking = asyncio.create_task(tools().thumbnails(source(b"the document", ODT), sizes=[256]))
    await eventually(lambda: _running("sleep\0" + "6543"))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await eventually(lambda: not _running("sleep\0" + "6543"))


async def test_a_document_that_is_too_large_is_not_read(standing_in: Standing) -> None:
    standing_in(_DRAW)
    with pytest.raises(NothingToSeeError, match="too large"):
        await ChildProcessTools(office=Office(OfficeLimits(size=5))).thumbnails(source(b"123456", ODT), sizes=[256])


def _files(folder: Path, pattern: str) -> list[Path]:
    return list(folder.glob(pattern))


def _running(words: str) -> bool:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if words.encode() in (process / "cmdline").read_bytes():
                return True
        except OSError:
            continue
    return False
