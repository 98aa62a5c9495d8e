"""The checks of the tree that no linter makes."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def tree() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tree", Path(__file__).parents[2] / ".ci" / "tree.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_source_of_more_than_400_lines_is_named(tree: ModuleType, tmp_path: Path) -> None:
    long, short = tmp_path / "long.py", tmp_path / "short.py"
    long.write_text("\n" * 401)
    short.write_text("\n" * 400)

    assert tree.long_files([long, short]) == [f"{long}: 401 lines, more than 400"]


@pytest.mark.parametrize(
    ("name", "content", "complaints"),
    [
        ("requirements.lock", "six==1.17.0 \\\n    --hash=sha256:00\n", 0),
        ("requirements.lock", "--index-url https://packages.example.org/simple\nsix==1.17.0\n", 1),
        ("requirements.lock", "six @ https://packages.example.org/six.whl\n", 1),
        ("package-lock.json", '"integrity": "sha512-00"\n"url": "https://github.com/sponsors/them"\n', 0),
        ("package-lock.json", '"resolved": "https://packages.example.org/six.tgz"\n', 1),
    ],
)
def test_a_lock_that_names_a_registry_is_refused(
    tree: ModuleType, tmp_path: Path, name: str, content: str, complaints: int
) -> None:
    (tmp_path / name).write_text(content)

    assert len(tree.hosts_in_locks([tmp_path / name])) == complaints


def test_a_web_lock_that_leaves_out_an_optional_package_is_refused(tree: ModuleType, tmp_path: Path) -> None:
    lock = tmp_path / "package-lock.json"
    packages = {
        "node_modules/linter": {"optionalDependencies": {"linter-linux": "1", "linter-windows": "1"}},
        "node_modules/linter-linux": {},
    }
    lock.write_text(json.dumps({"packages": packages}))

    assert tree.holes_in_npm_lock(lock) == [f"{lock}: lacks linter-windows"]
