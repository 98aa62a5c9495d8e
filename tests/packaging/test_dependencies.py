"""The dependency check reports each kind of difference, and says what to do."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

_ROOT = Path(__file__).parents[2]
_PYPROJECT = """
[project]
dependencies = ["httpx>=0.28", "asyncpg", "types-aiobotocore-lite[s3]"]

[project.optional-dependencies]
dev = ["pytest"]

[tool.metastore.dependencies.indirect]
asyncpg = "SQLAlchemy imports it"
"""
_MODULE = "import json\nimport httpx\nfrom product import other\nfrom types_aiobotocore_s3 import S3Client\n"


@pytest.fixture(scope="module")
def check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dependencies", _ROOT / ".ci" / "dependencies.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project without differences."""
    (tmp_path / "src" / "product").mkdir(parents=True)
    (tmp_path / "src" / "product" / "module.py").write_text(_MODULE)
    (tmp_path / "pyproject.toml").write_text(_PYPROJECT)
    return tmp_path


def add(project: Path, source: str) -> None:
    """Append to the project's module."""
    with (project / "src" / "product" / "module.py").open("a") as module:
        module.write(source)


def declare(project: Path, old: str, new: str) -> None:
    """Replace text in ``pyproject.toml``."""
    path = project / "pyproject.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_the_product_declares_what_it_imports(
    check: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(_ROOT)

    assert (check.main(), capsys.readouterr().err) == (0, "")


def test_a_project_without_differences(check: ModuleType, project: Path) -> None:
    """An extra of a dependency counts as declared, and ``indirect`` as imported."""
    assert check.complaints(project) == []


@pytest.mark.parametrize(
    "source",
    ["import uvicorn.config\n", "from uvicorn import Config\n", "def late() -> None:\n    import uvicorn\n"],
)
def test_an_undeclared_import(check: ModuleType, project: Path, source: str) -> None:
    add(project, source)

    (complaint,) = check.complaints(project)
    line = 4 + source.count("\n")
    expected = f"src/product/module.py:{line}: imports uvicorn: declare uvicorn in pyproject.toml's dependencies"
    assert complaint == expected


def test_an_undeclared_import_is_named_by_its_distribution(check: ModuleType, project: Path) -> None:
    add(project, "import PIL\n")

    assert check.complaints(project)[0].endswith("imports PIL: declare pillow in pyproject.toml's dependencies")


def test_an_import_of_a_dev_dependency(check: ModuleType, project: Path) -> None:
    add(project, "import pytest\n")

    assert check.complaints(project)[0].endswith("declare pytest in pyproject.toml's dependencies")


def test_imports_for_types_may_come_from_dev_dependencies(check: ModuleType, project: Path) -> None:
    add(project, "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pytest\n    import mypy\n")

    (complaint,) = check.complaints(project)
    assert complaint.endswith(":8: imports mypy: declare mypy in pyproject.toml's dev dependencies")


def test_a_dependency_that_nothing_imports(check: ModuleType, project: Path) -> None:
    declare(project, '"asyncpg"', '"asyncpg", "rich>=14"')

    (complaint,) = check.complaints(project)
    assert complaint.startswith("pyproject.toml: nothing in src imports rich: remove it, or say in ")


def test_an_indirect_dependency_that_is_imported(check: ModuleType, project: Path) -> None:
    add(project, "import asyncpg\n")

    assert check.complaints(project)[0].endswith("lists asyncpg, which src imports: remove the entry")


def test_an_indirect_dependency_that_is_not_declared(check: ModuleType, project: Path) -> None:
    declare(project, '"asyncpg", ', "")

    assert check.complaints(project)[0].endswith("lists asyncpg, which is not a dependency: remove the entry")


def test_a_difference_fails_the_check(
    check: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(project / "src" / "product")
    monkeypatch.chdir(project)

    assert check.main() == 1
    assert "nothing in src imports httpx" in capsys.readouterr().err
