"""Compare the dependencies in ``pyproject.toml`` with what ``src`` imports.

Every imported package must be declared, and every declared one imported. A dependency that only another package
imports, such as a database driver, is listed with the reason in ``[tool.metastore.dependencies.indirect]``. Imports
under ``if TYPE_CHECKING`` may come from the extras, which are not installed with the product.
"""

import ast
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_TABLE = "[tool.metastore.dependencies.indirect]"
_STUBS = {"_typeshed"}
"""Modules that exist only for type checkers."""


@dataclass(frozen=True)
class Import:
    """The first import of a third-party package, in the order of files."""

    place: str
    module: str
    is_for_types: bool


@dataclass(frozen=True)
class Declared:
    """Names of distributions.

    ``own`` maps each runtime dependency to itself and what its extras install; ``runtime`` and ``everything`` (with dev
    dependencies) are all of these names.
    """

    own: Mapping[str, frozenset[str]]
    runtime: frozenset[str]
    everything: frozenset[str]
    indirect: Mapping[str, str]


def complaints(root: Path) -> list[str]:
    """Return a line for each difference in the project at ``root`` that says what to do."""
    declared = _declared(root / "pyproject.toml")
    imports = list(_imports(root / "src"))
    providers = {
        module: [canonicalize_name(name) for name in names]
        for module, names in metadata.packages_distributions().items()
    }
    return [*_undeclared(imports, declared, providers), *_unused(imports, declared, providers)]


def _undeclared(imports: Iterable[Import], declared: Declared, providers: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for found in imports:
        names = providers.get(found.module, [found.module])
        if declared.runtime.isdisjoint(names):
            if not found.is_for_types:
                yield f"{found.place}: imports {found.module}: declare {names[0]} in pyproject.toml's dependencies"
            elif declared.everything.isdisjoint(names):
                yield f"{found.place}: imports {found.module}: declare {names[0]} in pyproject.toml's dev dependencies"


def _unused(imports: Iterable[Import], declared: Declared, providers: Mapping[str, Sequence[str]]) -> Iterator[str]:
    imported = {name for found in imports for name in providers.get(found.module, [])}
    unused = {name for name, installed in declared.own.items() if imported.isdisjoint(installed)}
    for name in sorted(unused - declared.indirect.keys()):
        yield f"pyproject.toml: nothing in src imports {name}: remove it, or say in {_TABLE} what needs it"
    for name in sorted(declared.indirect):
        if name not in declared.own:
            yield f"pyproject.toml: {_TABLE} lists {name}, which is not a dependency: remove the entry"
        elif name in imported:
            yield f"pyproject.toml: {_TABLE} lists {name}, which src imports: remove the entry"


def _declared(path: Path) -> Declared:
    project = tomllib.loads(path.read_text())
    runtime = [Requirement(line) for line in project["project"]["dependencies"]]
    extras = project["project"].get("optional-dependencies", {})
    everything = [*runtime, *(Requirement(line) for lines in extras.values() for line in lines)]
    indirect = project.get("tool", {}).get("metastore", {}).get("dependencies", {}).get("indirect", {})
    return Declared(
        own={canonicalize_name(each.name): frozenset(_with_extras([each])) for each in runtime},
        runtime=frozenset(_with_extras(runtime)),
        everything=frozenset(_with_extras(everything)),
        indirect={canonicalize_name(name): reason for name, reason in indirect.items()},
    )


def _with_extras(requirements: Iterable[Requirement]) -> Iterator[str]:
    for requirement in requirements:
        yield canonicalize_name(requirement.name)
        if not requirement.extras:
            continue
        for line in metadata.requires(requirement.name) or []:
            needed = Requirement(line)
            if needed.marker and any(needed.marker.evaluate({"extra": extra}) for extra in requirement.extras):
                yield canonicalize_name(needed.name)


def _imports(source: Path) -> Iterator[Import]:
    ours = {path.stem for path in source.iterdir()}
    known = ours | _STUBS | sys.stdlib_module_names
    reported: set[tuple[str, bool]] = set()
    for path in sorted(source.rglob("*.py")):
        for line, module, is_for_types in _imports_of(ast.parse(path.read_text())):
            if module not in known and (module, is_for_types) not in reported:
                reported.add((module, is_for_types))
                yield Import(f"{path.relative_to(source.parent)}:{line}", module, is_for_types)


def _imports_of(node: ast.AST, *, is_for_types: bool = False) -> Iterator[tuple[int, str, bool]]:
    """Yield the line, the top-level package, and whether it is imported only for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((child.lineno, alias.name.partition(".")[0], is_for_types) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            if child.module and not child.level:
                yield child.lineno, child.module.partition(".")[0], is_for_types
        else:
            guarded = isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")
            yield from _imports_of(child, is_for_types=is_for_types or guarded)


def main() -> int:
    """Print the complaints about the project in the working directory."""
    found = complaints(Path())
    for complaint in found:
        print(complaint, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
