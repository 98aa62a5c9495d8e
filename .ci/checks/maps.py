"""Overviews of the code: package docstrings that list modules, and the tree in ``ARCHITECTURE.md``."""

import ast
import re
from collections.abc import Iterator

from checks.complaint import Complaint
from checks.tree import Tree

_PACKAGE = "src/metastore"
_FEATURES = f"{_PACKAGE}/features"
_USUAL = {"endpoints", "consumers", "service", "repository", "models", "schemas", "events", "feature"}
"""File names that mean the same in each feature, which ``features/__init__`` explains."""

_ITEM = re.compile(r"^\* (``[\w/]+``(?:(?:, | and )``[\w/]+``)*):", re.MULTILINE)
_QUOTED = re.compile(r"``([\w/]+)``")
_ARCHITECTURE = "ARCHITECTURE.md"
_ENTRY = re.compile(r"^( *)([\w.]+?)(/|\.py)(?= |$)")


def wrong_package_pages(tree: Tree) -> Iterator[Complaint]:
    """Complain about docstrings of packages that list modules which do not exist, or leave some out.

    ``features``, ``ports``, ``kit`` and every feature with more than the usual modules must have a list, whose items
    look like ``* ``name``: meaning``. Any other package that lists one of its modules must mention all of them.
    """
    for file in tree.under(_PACKAGE, ".ci/checks", suffix="__init__.py"):
        yield from _complaints(tree, str(file.parent), str(file))


def _complaints(tree: Tree, folder: str, page: str) -> Iterator[Complaint]:
    docstring = ast.get_docstring(ast.parse(tree.read(page)), clean=True) or ""
    listed = [name for item in _ITEM.finditer(docstring) for name in _QUOTED.findall(item[1])]
    there = tree.children(folder)
    usual = _USUAL if folder.startswith(f"{_FEATURES}/") else set()
    if not there.intersection(listed):
        if _needs_list(folder, there - usual):
            yield Complaint(page, 1, "lists no modules: add a line “* ``name``: meaning” for each")
        return
    for name in listed:
        if name not in there:
            yield Complaint(page, _line_of(name, tree.read(page)), f"lists {name}, which does not exist: remove it")
    for name in sorted(there - usual - set(_QUOTED.findall(docstring))):
        yield Complaint(page, 1, f"does not list {name}: add a line “* ``{name}``: meaning”")


def _needs_list(folder: str, own: set[str]) -> bool:
    always = {_FEATURES, f"{_PACKAGE}/ports", f"{_PACKAGE}/kit"}
    return folder in always or (folder.startswith(f"{_FEATURES}/") and len(own) > 1)


def _line_of(name: str, text: str) -> int:
    return next((number for number, line in enumerate(text.splitlines(), 1) if f"``{name}``" in line), 1)


def wrong_architecture_tree(tree: Tree) -> Iterator[Complaint]:
    """Complain about ``ARCHITECTURE.md`` when its tree differs from the folders.

    The tree must show all top-level folders and everything in ``src/metastore``. If it shows one child of another
    folder, it must show all of them.
    """
    shown = dict(_shown(tree))
    parents = {path.rpartition("/")[0] for path in shown} | {"", _PACKAGE}
    there = {path for parent in parents for path in _children(tree, parent)}
    for path in sorted(set(shown) - there):
        yield Complaint(_ARCHITECTURE, shown[path], f"the tree shows {path}, which does not exist: remove it")
    for path in sorted(there - set(shown) - {"src"}):
        yield Complaint(_ARCHITECTURE, 0, f"the tree does not show {path}: add it")


def _children(tree: Tree, folder: str) -> set[str]:
    if folder == "src":
        return {_PACKAGE}
    if folder == "":
        return {file.parts[0] for file in tree.files if len(file.parts) > 1 and not file.parts[0].startswith(".")}
    if folder.startswith("src/"):
        return {f"{folder}/{name}" for name in tree.children(folder)}
    inside = (file.relative_to(folder) for file in tree.under(folder))
    return {f"{folder}/{file.parts[0]}" for file in inside if len(file.parts) > 1}


def _shown(tree: Tree) -> Iterator[tuple[str, int]]:
    """Yield the paths in the first code block, modules without their suffix, each with its line number."""
    lines = tree.read(_ARCHITECTURE).splitlines()
    above: list[tuple[int, str]] = []
    fences = [number for number, line in enumerate(lines) if line.startswith("```")][:2]
    for number in range(*fences) if len(fences) == 2 else ():
        for indent, name, _ in _ENTRY.findall(lines[number].replace("src/metastore/", "metastore/")):
            above = [(depth, path) for depth, path in above if depth < len(indent)]
            path = f"{above[-1][1]}/{name}" if above else {"metastore": _PACKAGE}.get(name, name)
            above.append((len(indent), path))
            yield path, number + 1
