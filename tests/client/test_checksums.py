"""Checksums of streams and files, in both notations."""

import hashlib
import os
from pathlib import Path

import pytest
from blake3 import blake3

from metastore.client.checksums import can_compute, is_digest_of, matches, matches_bytes, measure
from tests.fixtures.store_client import checksum_of, stream


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "film.bin"
    path.write_bytes(bytes(range(256)) * 10)
    return path


def test_a_digest_of_the_whole_file(file: Path) -> None:
    content = file.read_bytes()
    assert matches(file, f"blake3:{blake3(content).hexdigest()}") is True
    assert matches(file, f"md5:{hashlib.md5(content, usedforsecurity=False).hexdigest()}") is True
    assert matches(file, f"sha256:{'0' * 64}") is False


def test_a_digest_of_bytes_in_memory(file: Path) -> None:
    content = file.read_bytes()
    assert matches_bytes(content, f"blake3:{blake3(content).hexdigest()}") is True
    assert matches_bytes(content + b"x", f"blake3:{blake3(content).hexdigest()}") is False


def test_a_digest_of_block_digests(file: Path) -> None:
    content = file.read_bytes()
    blocks = [blake3(content[start : start + 1000]).digest() for start in range(0, len(content), 1000)]
    checksum = blake3(b"".join(blocks)).hexdigest()
    assert matches(file, f"blake3-1000:{checksum}") is True
    assert matches(file, f"blake3-1001:{checksum}") is False


@pytest.mark.parametrize("checksum", [None, "", "blake3", "crc99:00", "blake3-0:00", "blake3:XYZ"])
def test_an_unknown_checksum_is_ignored(file: Path, checksum: str | None) -> None:
    assert matches(file, checksum) is None
    assert matches_bytes(file.read_bytes(), checksum) is None


def test_an_etag_is_compared_as_a_digest(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        some = file.read_bytes()[100:300]
        assert is_digest_of(blake3(some).hexdigest(), handle, 100, 200)
        assert is_digest_of(hashlib.md5(some, usedforsecurity=False).hexdigest(), handle, 100, 200)
        assert not is_digest_of(blake3(some).hexdigest(), handle, 101, 200)
        assert not is_digest_of("opaque", handle, 100, 200)
    finally:
        os.close(handle)


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 20, 25, 200_000])
@pytest.mark.parametrize("chunk_size", [1, 7, 10, 100_000])
async def test_checksums_do_not_depend_on_the_size_of_chunks(size: int, chunk_size: int) -> None:
    """Several checksums are computed in one pass."""
    if size // chunk_size > 1000:
        chunk_size = 100_000
    content = os.urandom(size)
    names = ["blake3", "blake3-10", "md5", "md5-10", "sha256"]
    expected = {name: checksum_of(name, content) for name in names if size or "-" not in name}
    chunks = stream(*(content[start : start + chunk_size] for start in range(0, size, chunk_size)))
    measured = await measure(chunks, names)
    assert size == measured.size
    assert expected.items() <= measured.checksums.items()
    assert all(measured.agrees(checksum) for checksum in expected.values())


@pytest.mark.parametrize("name", ["", "crc32", "blake3-", "blake3-0", "md5-x", "-5"])
async def test_unsupported_names_are_rejected(name: str) -> None:
    assert not can_compute(name)
    with pytest.raises(ValueError, match="no such checksum"):
        await measure(stream(b"abc"), [name])
