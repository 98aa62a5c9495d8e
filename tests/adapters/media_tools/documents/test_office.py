"""Office documents are converted by an isolated program, here by a script in place of LibreOffice."""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from metastore.adapters.media_tools.documents.office import Office, OfficeLimits
from metastore.adapters.media_tools.sandboxed_tools import SandboxedMediaTools
from metastore.ports.media_tools import NoPictureError
from tests.adapters.media_tools.documents.test_pdf import RED, pdf
from tests.adapters.media_tools.sample_files import decoded, has_colour, source
from tests.fixtures.waiting import eventually

ODT = "application/vnd.oasis.opendocument.text"
Install = Callable[[str], None]
_QUICK = OfficeLimits(seconds=20, cpu_seconds=2, written=16 * 2**20, pdf_size=2**20)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a script as LibreOffice, first on the search path, next to a PDF that it can copy."""

    def install_script(script: str) -> None:
        folder = tmp_path / "programs"
        folder.mkdir()
        (folder / "page.pdf").write_bytes(pdf())
        (folder / "soffice").write_text(f"#!/bin/bash\nhere=$(dirname $0)\n{script}\n")
        (folder / "soffice").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    return install_script


def tools() -> SandboxedMediaTools:
    return SandboxedMediaTools(office=Office(_QUICK))


_CONVERT = "cp $here/page.pdf /tmp/document.pdf"


async def test_a_document_is_converted(install: Install) -> None:
    install(f'[ "$(cat "${{!#}}")" = "the document" ] && {_CONVERT}')
    office = tools()
    given = source(b"the document", ODT)
    assert office.can_preview(ODT)
    assert "odt" == (await office.probe(given)).container
    (made,) = await office.thumbnails(given, sizes=[256])
    assert has_colour(RED, decoded(made), (100, 100))


async def test_documents_cannot_be_shown_without_libreoffice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not tools().can_preview(ODT)
    with pytest.raises(NoPictureError):
        await tools().thumbnails(source(b"the document", ODT), sizes=[256])


async def test_libreoffice_is_not_used_if_it_cannot_be_isolated(
    install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(_CONVERT)
    child = tmp_path / "child.py"
    child.write_text("import sys; sys.exit(97)")
    monkeypatch.setattr(
        "metastore.adapters.media_tools.documents.office._CHILD", ("/usr/bin/env", "python3", str(child))
    )
    assert not tools().can_preview(ODT)


async def test_the_program_has_no_access_to_files_processes_settings_and_servers(
    install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The script exits without a result if it has access to any of them."""
    (tmp_path / "secret").write_text("a secret")
    monkeypatch.setenv("METASTORE_SECRET_KEY", "a secret key")
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.setblocking(False)
        port = canary.getsockname()[1]
        install(
            f"cat {tmp_path}/secret && exit\n"
            "cat /etc/passwd && exit\n"
            f"(exec 3<>/dev/tcp/127.0.0.1/{port}) && exit\n"
            f"kill -0 {os.getpid()} && exit\n"
            '[ -z "$METASTORE_SECRET_KEY" ] || exit\n'
            "touch $here/x && exit\n"
            "touch /usr/x && exit\n"
            f"{_CONVERT}"
        )
        assert await tools().thumbnails(source(b"the document", ODT), sizes=[256])
        with pytest.raises(BlockingIOError):
            canary.accept()


async def test_the_program_leaves_nothing_behind(install: Install, tmp_path: Path) -> None:
    install(f"echo x > /tmp/left-behind; touch $HOME/left-behind; (sleep 4321 &) ; {_CONVERT}")
    assert await tools().thumbnails(source(b"the document", ODT), sizes=[256])
    assert [] == [file for folder in (Path("/tmp"), tmp_path / "programs") for file in _files(folder, "left-behind*")]
    await eventually(lambda: not _running("sleep\0" + "4321"))


_FAILING = {
    "writes no pdf": "true",
    "fails": "exit 3",
    "writes an invalid pdf": "echo nonsense > /tmp/document.pdf",
    "writes too much": "head -c 100000000 /dev/zero > /tmp/much; head -c 100000000 /dev/zero > /tmp/more",
    "writes a pdf that is too large": "head -c 3000000 /dev/zero > /tmp/document.pdf",
    "exceeds its cpu time": "while :; do :; done",
}


@pytest.mark.parametrize("name", _FAILING)
async def test_a_document_that_cannot_be_converted_has_no_thumbnail(name: str, install: Install) -> None:
    install(_FAILING[name])
    with pytest.raises(NoPictureError, match=r"^The document .*\.$"):
        await tools().thumbnails(source(b"the document", ODT), sizes=[256])


async def test_a_program_that_hangs_is_killed(install: Install) -> None:
    install("sleep 5432 & wait")
    office = SandboxedMediaTools(office=Office(OfficeLimits(seconds=2)))
    with pytest.raises(NoPictureError):
        await office.thumbnails(source(b"the document", ODT), sizes=[256])
    await eventually(lambda: not _running("sleep\0" + "5432"))


async def test_a_program_is_killed_when_the_request_is_cancelled(install: Install) -> None:
    install("sleep 6543 & wait")
    request = asyncio.create_task(tools().thumbnails(source(b"the document", ODT), sizes=[256]))
    await eventually(lambda: _running("sleep\0" + "6543"))
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await eventually(lambda: not _running("sleep\0" + "6543"))


async def test_a_document_that_is_too_large_is_refused(install: Install) -> None:
    install(_CONVERT)
    with pytest.raises(NoPictureError, match="too large"):
        await SandboxedMediaTools(office=Office(OfficeLimits(size=5))).thumbnails(source(b"123456", ODT), sizes=[256])


def _files(folder: Path, pattern: str) -> list[Path]:
    return list(folder.glob(pattern))


def _running(command: str) -> bool:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if command.encode() in (process / "cmdline").read_bytes():
                return True
        except OSError:
            continue
    return False
