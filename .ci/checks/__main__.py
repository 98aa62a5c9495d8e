"""Run every check, and print the complaints by file and line."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from checks.complaint import Complaint
from checks.cycles import import_cycles
from checks.folders import crowded_folders
from checks.glossary import contradictions
from checks.lengths import long_files
from checks.locks import gaps_in_npm_lock, registries_in_locks
from checks.maps import wrong_architecture_tree, wrong_package_pages
from checks.names import banned_file_names, banned_names
from checks.prose import banned_prose
from checks.settings import wrong_settings_tables
from checks.tree import Tree, tracked

CHECKS: tuple[Callable[[Tree], Iterable[Complaint]], ...] = (
    long_files,
    registries_in_locks,
    gaps_in_npm_lock,
    crowded_folders,
    import_cycles,
    contradictions,
    banned_names,
    banned_file_names,
    banned_prose,
    wrong_package_pages,
    wrong_architecture_tree,
    wrong_settings_tables,
)


def main() -> int:
    """Check the tree in the working directory; return the exit code."""
    tree = tracked(Path.cwd())
    complaints = sorted({complaint for check in CHECKS for complaint in check(tree)})
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
