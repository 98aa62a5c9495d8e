"""What the server has to send."""

from pathlib import Path

import pytest

from tests.fixtures.raw_http import Library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """With a file of 20 MB, which no socket's buffers hold."""
    (tmp_path / "file").write_bytes(bytes(range(250)) * 80_000)
    return Library(tmp_path / "file")
