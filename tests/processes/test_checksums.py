"""Checksums that describe themselves can be computed again from the bytes."""

import os

import pytest

from metastore.processes.checksums import can_compute, measure
from tests.fixtures.shelf import described, stream


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 20, 25, 200_000])
@pytest.mark.parametrize("cut", [1, 7, 10, 100_000])
async def test_blocks_and_wholes_come_out_however_the_bytes_are_cut(size: int, cut: int) -> None:
    """The names of both stores, in one pass."""
    if size // cut > 1000:
        cut = 100_000
    content = os.urandom(size)
    names = ["blake3", "blake3-10", "md5", "md5-10", "sha256"]
    expected = {name: described(name, content) for name in names if size or "-" not in name}
    chunks = stream(*(content[start : start + cut] for start in range(0, size, cut)))
    measured = await measure(chunks, names)
    assert size == measured.size
    assert expected.items() <= measured.checksums.items()
    assert all(measured.agrees(checksum) for checksum in expected.values())


@pytest.mark.parametrize("name", ["", "crc32", "blake3-", "blake3-0", "md5-x", "-5"])
async def test_unknown_names_are_refused(name: str) -> None:
    assert not can_compute(name)
    with pytest.raises(ValueError, match="no such checksum"):
        await measure(stream(b"abc"), [name])
