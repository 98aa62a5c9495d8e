"""Build the web app for ``make setup`` and for the wheel.

As a hatchling build hook, it puts the built app into the wheel. Editable installs skip it, since ``make`` builds the
app there. Run as a script, it builds the app in the checkout. Nothing is built while the app is up to date, which is
decided by a digest of the sources that is kept with the built files.

``METASTORE_SKIP_WEB=1`` skips the build, for work on the server alone.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_NOT_SOURCES = {"node_modules", "tests", "test-results", "coverage", "dist"}
_DIGEST = ".sources"


class WebAppHook(BuildHookInterface[Any]):
    """Build the web app before the wheel is packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the web app, unless the install is editable."""
        if version != "editable":
            build_web_app(Path(self.root))


def build_web_app(root: Path) -> None:
    """Build ``web`` into ``src/metastore/webapp``, if it is out of date.

    Raises:
        SystemExit: npm is missing or fails. The output of npm has been printed.
    """
    if os.environ.get("METASTORE_SKIP_WEB") == "1":
        return
    web, built = root / "web", root / "src" / "metastore" / "webapp"
    digest = _digest(web)
    if (built / "index.html").is_file() and _stored_digest(built) == digest:
        return
    install_web_packages(web)
    _npm(web, "Building the web app", "run", "build")
    (built / _DIGEST).write_text(digest)


def install_web_packages(web: Path) -> None:
    """Install the packages of ``package-lock.json`` into ``node_modules``, unless they are there.

    Raises:
        SystemExit: npm is missing or fails.
    """
    if not _packages_installed(web):
        _npm(web, "Installing the web app's packages", "ci")


def _packages_installed(web: Path) -> bool:
    try:
        required = json.loads((web / "package-lock.json").read_text())["packages"]
        installed = json.loads((web / "node_modules" / ".package-lock.json").read_text())["packages"]
    except (OSError, ValueError, KeyError):
        return False
    return all(
        path in installed and installed[path].get("version") == package.get("version")
        for path, package in required.items()
        # The root is the app itself. Optional packages are for other platforms.
        if path and not package.get("optional") and not package.get("devOptional") and not package.get("peer")
    )


def _npm(web: Path, what: str, *arguments: str) -> None:
    npm = shutil.which("npm")
    if npm is None:
        sys.exit(
            f"{what} needs Node.js 20.19 or newer with npm (or set METASTORE_SKIP_WEB=1 to do without the web app)"
        )
    sys.stderr.write(f"{what} …\n")
    done = subprocess.run(  # noqa: S603  the program found above, with constant arguments
        [npm, *arguments],
        cwd=web,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        sys.stderr.write(done.stdout.decode(errors="replace"))
        sys.exit(f"{what} failed: npm {' '.join(arguments)}")


def _digest(web: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(_sources(web)):
        content = path.read_bytes()
        total.update(f"{path.relative_to(web)}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def _sources(folder: Path) -> list[Path]:
    found = []
    for path in folder.iterdir():
        if path.is_dir() and path.name not in _NOT_SOURCES:
            found += _sources(path)
        elif path.is_file() and path.suffix != ".tsbuildinfo":
            found.append(path)
    return found


def _stored_digest(built: Path) -> str | None:
    try:
        return (built / _DIGEST).read_text()
    except OSError:
        return None


if __name__ == "__main__":
    checkout = Path(__file__).parent
    if sys.argv[1:] == ["packages"]:
        install_web_packages(checkout / "web")
    else:
        build_web_app(checkout)
