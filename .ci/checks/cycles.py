"""Import cycles between modules of the package."""

import sys
from collections.abc import Iterator

import grimp

from checks.complaint import Complaint
from checks.tree import Tree

_PACKAGE = "metastore"


def import_cycles(tree: Tree) -> Iterator[Complaint]:
    """Complain about each group of modules that import each other, with the shortest cycle.

    Imports inside functions and under ``TYPE_CHECKING`` count.
    """
    sys.path.insert(0, str(tree.root / "src"))
    graph = grimp.build_graph(_PACKAGE, cache_dir=None)
    imports = {module: sorted(graph.find_modules_directly_imported_by(module)) for module in sorted(graph.modules)}
    for group in _cyclic_groups(imports):
        cycle = min((_shortest_cycle(module, imports, group) for module in sorted(group)), key=len)
        details = graph.get_import_details(importer=cycle[0], imported=cycle[1])
        text = f"import cycle: {' → '.join(cycle)}: move what both ends need into a module of its own"
        yield Complaint(_file_of(cycle[0], tree), details[0]["line_number"] if details else 0, text)


def _cyclic_groups(imports: dict[str, list[str]]) -> list[set[str]]:
    """Return the strongly connected components of more than one module."""
    reached = {module: _reachable(module, imports) for module in imports}
    groups: list[set[str]] = []
    for module, others in reached.items():
        group = {other for other in others if module in reached[other]}
        if group and group not in groups:
            groups.append(group)
    return groups


def _reachable(start: str, imports: dict[str, list[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(imports[start])
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += imports[module]
    return found


def _shortest_cycle(start: str, imports: dict[str, list[str]], group: set[str]) -> list[str]:
    paths = [[start]]
    visited: set[str] = set()
    for path in paths:
        for module in imports[path[-1]]:
            if module == start:
                return [*path, start]
            if module in group and module not in visited:
                visited.add(module)
                paths.append([*path, module])
    raise AssertionError(f"{start} is in no cycle")


def _file_of(module: str, tree: Tree) -> str:
    path = f"src/{module.replace('.', '/')}"
    return f"{path}.py" if (tree.root / f"{path}.py").is_file() else f"{path}/__init__.py"
