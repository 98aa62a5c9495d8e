"""Names of identifiers, files and folders."""

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from checks.complaint import Complaint
from checks.glossary import bans, first_match, words_of
from checks.tree import Tree

_CODE = ("src", "tests", "benchmarks", "deploy", ".ci")
_FILES = (*_CODE, "web/src")


def banned_names(tree: Tree) -> Iterator[Complaint]:
    """Complain about definitions of identifiers with a banned word, once per name and file.

    Uses are not checked, since libraries may define them. The name of a test is a sentence, and checked as prose.
    """
    candidates = bans(tree)
    in_prose = [ban for ban in candidates if ban.everywhere]
    for file in tree.under(*_CODE, suffix=".py"):
        complained: set[str] = set()
        for line, name in sorted(_defined(ast.parse(tree.read(file)))):
            if name not in complained:
                complained.add(name)
                for ban in first_match(words_of(name), in_prose if name.startswith("test_") else candidates):
                    yield Complaint(str(file), line, f"the name {name} says {ban}")


def banned_file_names(tree: Tree) -> Iterator[Complaint]:
    """Complain about files and folders with a banned word in their names."""
    candidates = bans(tree)
    paths = {path for file in tree.under(*_FILES) for path in (file, *file.parents) if path != PurePosixPath()}
    for path in sorted(paths):
        for ban in first_match(words_of(path.name.partition(".")[0] or path.name), candidates):
            yield Complaint(str(path), 0, f"the name says {ban}")


def _defined(module: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.alias(asname=str(name)):
                yield node.lineno, name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name
            case _:
                pass
