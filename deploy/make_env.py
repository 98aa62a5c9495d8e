"""Create ``deploy/.env`` with generated secrets: ``python3 deploy/make_env.py [FILE]``.

Needs only the standard library. An existing file is kept, since its secrets are in use.
"""

import os
import secrets
import sys
from pathlib import Path

EXAMPLE = Path(__file__).with_name("scale-out.env.example")


def filled_in(example: str) -> str:
    """Return the example with a generated secret, which needs no quoting, for each empty value."""
    lines = [line + secrets.token_urlsafe(36) if _is_empty(line) else line for line in example.splitlines()]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Write the file and return the exit code."""
    target = Path(arguments[0]) if arguments else EXAMPLE.with_name(".env")
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        sys.stderr.write(f"{target} already exists and was not changed\n")
        return 1
    with os.fdopen(handle, "w") as file:
        file.write(filled_in(EXAMPLE.read_text()))
    sys.stdout.write(f"{target} was written; it contains the password of the first admin\n")
    return 0


def _is_empty(line: str) -> bool:
    return line.endswith("=") and not line.startswith("#")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
