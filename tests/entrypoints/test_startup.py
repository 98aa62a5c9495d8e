"""What is imported at the start is no work for the garbage collector."""

import gc
import subprocess
import sys

import pytest

from metastore.entrypoints.startup import importing


def test_nothing_is_collected_during_the_imports_and_all_is_excluded_after_them() -> None:
    try:
        with importing():
            assert not gc.isenabled()
            imported: list[object] = [[]]
        assert gc.isenabled()
        assert not any(each is imported for each in gc.get_objects())
    finally:
        gc.unfreeze()


def test_a_failed_import_leaves_the_collector_enabled() -> None:
    def fail() -> None:
        with importing():
            raise ImportError

    with pytest.raises(ImportError):
        fail()
    assert gc.isenabled()
    gc.unfreeze()


def test_libraries_that_no_server_uses_are_left_out_and_can_be_imported_later() -> None:
    program = """
import sys
from metastore.entrypoints.startup import importing
with importing():
    import structlog
assert "rich" not in sys.modules
import rich.console
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_pydantic_1_is_not_imported_for_routes_either() -> None:
    program = """
import sys
from metastore.entrypoints.startup import importing
with importing():
    import fastapi
router, app = fastapi.APIRouter(), fastapi.FastAPI()
@router.get("/")
def read(page: int) -> list[str]: ...
app.include_router(router)
app.openapi()
assert sys.modules["pydantic.v1"] is None
"""
    subprocess.run([sys.executable, "-c", program], check=True)
