"""Writing around the page cache, and parts that are received that way."""

import os
from pathlib import Path

import pytest
from blake3 import blake3

from metastore.adapters.object_store.local import LocalObjectStore
from metastore.adapters.object_store.local.direct_io import AlignedBuffers, write_direct
from metastore.adapters.object_store.local.part_writer import BATCH
from metastore.ports.object_store import CompletedPart, UploadTarget
from metastore.ports.served_objects import PartGrant
from tests.fixtures.pieces_source import PiecesSource

KEY = "files/abc"


def test_an_aligned_buffer_is_written(tmp_path: Path) -> None:
    """Where the file system does not support it, the caller is told."""
    buffer = AlignedBuffers(8192).take()
    buffer[:] = os.urandom(8192)
    with (tmp_path / "file").open("wb") as file:
        if write_direct(file.fileno(), buffer, 4096):
            assert bytes(4096) + buffer == (tmp_path / "file").read_bytes()


@pytest.mark.parametrize(("offset", "length"), [(1, 4096), (4096, 100), (512, 4096)])
def test_what_is_not_aligned_is_not_written(offset: int, length: int, tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        assert not write_direct(file.fileno(), AlignedBuffers(8192).take()[:length], offset)
    assert 0 == (tmp_path / "file").stat().st_size


def test_a_file_without_direct_writes_is_not_written() -> None:
    with Path("/dev/null").open("wb") as file:
        assert not write_direct(file.fileno(), AlignedBuffers(4096).take(), 0)


def test_later_writes_by_the_same_handle_need_no_alignment(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        write_direct(file.fileno(), AlignedBuffers(4096).take(), 0)
        assert 3 == os.pwrite(file.fileno(), b"abc", 5)


def test_a_released_buffer_is_used_again() -> None:
    buffers = AlignedBuffers(4096)
    first, second = buffers.take(), buffers.take()
    first[:1] = b"a"
    buffers.release(first)
    assert b"\0" == bytes(second[:1])
    assert b"a" == bytes(buffers.take()[:1])


@pytest.mark.parametrize("part_size", [BATCH, 2 * BATCH + 4096, 2 * BATCH + 17, BATCH - 1])
async def test_parts_of_any_size_are_whole(part_size: int, tmp_path: Path) -> None:
    """Of three parts and a short one, some begin or end in the middle of a page."""
    store = LocalObjectStore(tmp_path / "store", b"k" * 32)
    content = os.urandom(3 * part_size + 5)
    upload_id = await store.create_multipart(KEY, size=len(content), part_size=part_size, content_type="a/b")
    target = UploadTarget(KEY, upload_id, len(content), part_size)
    parts = []
    for number in (2, 4, 1, 3):
        piece = content[(number - 1) * part_size : number * part_size]
        writer = await store.write_part(PartGrant(KEY, upload_id, number, len(piece), 0))
        source = PiecesSource(piece, 300_000)
        while not await writer.take(source):
            pass
        part = await writer.commit()
        assert blake3(piece).hexdigest() == part.etag
        parts.append(CompletedPart(number, part.etag))
    await store.complete_multipart(target, sorted(parts, key=lambda part: part.number))
    assert content == b"".join([chunk async for chunk in store.read(KEY)])
    await store.aclose()
