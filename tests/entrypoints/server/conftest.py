"""An application that sends a file."""

from pathlib import Path

import pytest

from tests.fixtures.raw_http import FileApp


@pytest.fixture
def file_app(tmp_path: Path) -> FileApp:
    """An application with a file of 20 MB, more than a socket buffers."""
    (tmp_path / "file").write_bytes(bytes(range(250)) * 80_000)
    return FileApp(tmp_path / "file")
