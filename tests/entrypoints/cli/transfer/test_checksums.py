import hashlib
import os
from pathlib import Path

import pytest
from blake3 import blake3

from metastore.entrypoints.cli.transfer.checksums import is_digest_of, matches


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


def test_a_digest_of_block_digests(file: Path) -> None:
    content = file.read_bytes()
    blocks = [blake3(content[start : start + 1000]).digest() for start in range(0, len(content), 1000)]
    checksum = blake3(b"".join(blocks)).hexdigest()
    assert matches(file, f"blake3-1000:{checksum}") is True
    assert matches(file, f"blake3-1001:{checksum}") is False


@pytest.mark.parametrize("checksum", [None, "", "blake3", "crc99:00", "blake3-0:00", "blake3:XYZ"])
def test_an_unknown_checksum_is_ignored(file: Path, checksum: str | None) -> None:
    assert matches(file, checksum) is None


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
