"""Check that the web client has a text for each code of the server in each language, and for no others."""

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from metastore.features.notifications.messages import NotificationType
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.kit.problems.reason_codes import ReasonCode

TEXTS = Path("web/src/i18n")
CODES: Mapping[str, Iterable[str]] = {
    "problems.ts": list(ProblemCode),
    "reasons.ts": list(ReasonCode),
    "notices.ts": list(NotificationType),
}
"""Per language, the file that has the texts of these codes."""
# A code, quoted if necessary, and its text on the same line or on the next one.
_ENTRY = re.compile(r"^  (?:'([^'\n]+)'|(\w+)):\s*(?:'(.*)'|\"(.*)\"),?$", re.MULTILINE)


def texts_in(source: str) -> dict[str, str]:
    """Return the texts in a file, by code."""
    return {quoted or bare: text or other for quoted, bare, text, other in _ENTRY.findall(source)}


def complaints_about(texts: Path, codes: Mapping[str, Iterable[str]]) -> list[str]:
    """Return a line for each missing or superfluous text that says what to do."""
    languages = sorted(path.name for path in texts.iterdir() if path.is_dir()) if texts.is_dir() else []
    if not languages:
        return [f"{texts}: there is no language here: make a folder for each, with {', '.join(codes)}"]
    return [
        complaint
        for language in languages
        for name, wanted in codes.items()
        for complaint in _complaints_about_file(texts / language / name, {str(code) for code in wanted})
    ]


def _complaints_about_file(path: Path, codes: set[str]) -> list[str]:
    if not path.is_file():
        return [f"{path}: is missing: write it with a text for each code"]
    found = texts_in(path.read_text())
    return [
        *(f"{path}: add a text for the code '{code}'" for code in sorted(codes - set(found))),
        *(f"{path}: remove '{code}', which the server never sends" for code in sorted(set(found) - codes)),
        *(f"{path}: write the text for the code '{code}'" for code, text in found.items() if not text.strip()),
    ]


def main() -> int:
    """Print the complaints about the web client in the working directory."""
    complaints = complaints_about(TEXTS, CODES)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
