"""An application that sends a file."""

from pathlib import Path

import pytest

from tests.fixtures.raw_http import Library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An application with a file of 20 MB, more than a socket buffers."""
    (tmp_path / "file").write_bytes(bytes(range(250)) * 80_000)
    return Library(tmp_path / "file")
