"""Registries and gaps in lock files."""

import json
from collections.abc import Iterator

from checks.complaint import Complaint
from checks.tree import Tree

_NPM_LOCK = "web/package-lock.json"


def registries_in_locks(tree: Tree) -> Iterator[Complaint]:
    """Complain about lock files that name a registry, since each machine chooses its own."""
    for file in tree.files:
        if file.suffix != ".lock" and file.name != "package-lock.json":
            continue
        for number, line in enumerate(tree.read(file).splitlines(), start=1):
            named = '"resolved"' in line if file.suffix == ".json" else "://" in line or line.startswith("-")
            if named:
                yield Complaint(str(file), number, f"names a registry; write it again by `make lock`: {line.strip()}")


def gaps_in_npm_lock(tree: Tree) -> Iterator[Complaint]:
    """Complain about packages that others need but the lock lacks, which makes ``npm ci`` fail.

    npm drops an optional package (such as a binary for another platform) that it cannot reach while locking.
    """
    text = tree.read(_NPM_LOCK)
    packages = json.loads(text)["packages"] if text else {}
    locked = {name.rpartition("node_modules/")[2] for name in packages}
    needed = {name for package in packages.values() for name in package.get("optionalDependencies", {})}
    for name in sorted(needed - locked):
        yield Complaint(_NPM_LOCK, 0, f"lacks {name}; write it again by `make lock`")
