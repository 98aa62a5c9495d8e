"""Words in docstrings, comments and Markdown pages."""

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Sequence

from checks.complaint import Complaint
from checks.glossary import PAGE, Ban, bans
from checks.tree import Tree

_CODE = ("src", "tests", "benchmarks", "deploy", ".ci")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?", re.IGNORECASE)
_QUOTED = re.compile(r"(`+)[^`]*?\1")


def banned_prose(tree: Tree) -> Iterator[Complaint]:
    """Complain about each line of prose with words that the glossary bans everywhere."""
    candidates = [ban for ban in bans(tree) if ban.everywhere]
    for file in tree.under(*_CODE, suffix=".py"):
        yield from _complaints(str(file), _prose_of(tree.read(file)), candidates)
    for file in tree.files:
        if file.suffix == ".md" and str(file) != PAGE:
            yield from _complaints(str(file), [(1, tree.read(file))], candidates)


def _prose_of(source: str) -> Iterator[tuple[int, str]]:
    """Yield the docstrings, field descriptions and comments of a module, each with the number of its first line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _complaints(path: str, texts: Iterable[tuple[int, str]], candidates: Sequence[Ban]) -> Iterator[Complaint]:
    firsts = {ban.words[0].removesuffix("s") for ban in candidates}
    for first_line, text in texts:
        # What is quoted as code is a name, which the check of names is about.
        plain = _QUOTED.sub(lambda quoted: "\n" * quoted[0].count("\n") + " · ", text)
        words = [(found.start(), found[0].lower()) for found in _WORD.finditer(plain)]
        only = [word for _, word in words]
        for place, (start, word) in enumerate(words):
            if word.removesuffix("s") not in firsts:
                continue
            for ban in candidates:
                if ban.stands_at(only, place):
                    yield Complaint(path, first_line + plain.count("\n", 0, start), f"the text says {ban}")
                    break
