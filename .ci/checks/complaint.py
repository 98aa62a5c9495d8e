"""Complaints, which all checks return."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Complaint:
    """A place that breaks a rule, and what to do about it.

    ``path`` is relative to the root of the tree. ``line`` is 0 when the complaint is about the file or folder itself.
    """

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.text}"
