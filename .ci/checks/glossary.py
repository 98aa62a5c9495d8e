"""The glossary: banned words, and the terms to use instead."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from checks.complaint import Complaint
from checks.tree import Tree

PAGE = "docs/glossary.md"
_ENTRY = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@dataclass(frozen=True)
class Ban:
    """A banned sequence of words, and the ``terms`` that replace it.

    A ban applies to names; if ``everywhere`` is set, it applies to prose as well.
    """

    words: tuple[str, ...]
    terms: tuple[str, ...]
    everywhere: bool

    def __str__(self) -> str:
        terms = " or ".join(f"“{term}”" for term in self.terms)
        return f"“{' '.join(self.words)}”: write {terms} instead ({PAGE})"

    def matches(self, words: Sequence[str]) -> bool:
        """Return whether ``words`` (lower case) contains the banned words as a sequence."""
        return any(self.stands_at(words, start) for start in range(len(words) - len(self.words) + 1))

    def stands_at(self, words: Sequence[str], start: int) -> bool:
        """Return whether the banned words are at ``start``; the last one may be singular or plural."""
        found = words[start : start + len(self.words)]
        return len(found) == len(self.words) and _singular(found) == _singular(self.words)


def bans(tree: Tree) -> list[Ban]:
    """Return all bans of the glossary, the longest first."""
    terms: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    for _, term, column in _rows(tree):
        for in_names, in_all in _ENTRY.findall(column):
            words = tuple((in_names or in_all).lower().split())
            terms.setdefault((words, bool(in_all)), []).append(term)
    found = [Ban(words, tuple(replacing), everywhere) for (words, everywhere), replacing in terms.items()]
    return sorted(found, key=lambda ban: -len(ban.words))


def _singular(words: Sequence[str]) -> list[str]:
    """Return the words, the last one without a final ``s``."""
    return [*words[:-1], words[-1].removesuffix("s")]


def words_of(name: str) -> list[str]:
    """Return the words of an identifier or file name, whether snake_case, kebab-case or CamelCase."""
    return [word.lower() for word in _WORD.findall(name)]


def contradictions(tree: Tree) -> Iterator[Complaint]:
    """Complain about terms of the glossary that its own last column bans."""
    rows = list(_rows(tree))
    if not rows:
        yield Complaint(PAGE, 0, "has no table of “| term | meaning | not |”: restore it")
    for number, term, _ in rows:
        for ban in first_match(words_of(term), bans(tree)):
            yield Complaint(PAGE, number, f"the term “{term}” uses a banned word, {ban}")


def first_match(words: Sequence[str], candidates: Iterable[Ban]) -> list[Ban]:
    """Return the first ban that matches ``words`` in a list, or an empty list."""
    return next(([ban] for ban in candidates if ban.matches(words)), [])


def _rows(tree: Tree) -> Iterator[tuple[int, str, str]]:
    """Yield the line number, the term and the last column of each row."""
    for number, line in enumerate(tree.read(PAGE).splitlines(), start=1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 3 and cells[0] != "term" and not cells[0].startswith("---"):
            yield number, cells[0], cells[2]
