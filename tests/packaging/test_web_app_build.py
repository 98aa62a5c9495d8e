"""The web app is built if it has changed, and only then."""

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

_ROOT = Path(__file__).parents[2]
_NPM = """#!/bin/sh
echo "$*" >> "{calls}"
case "$1" in
  ci) mkdir -p node_modules && cp package-lock.json node_modules/.package-lock.json ;;
  run) mkdir -p ../src/metastore/webapp && echo built > ../src/metastore/webapp/index.html ;;
esac
"""


class Checkout:
    """A small checkout with a web app, and an ``npm`` that records its arguments."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.web = root / "web"
        self._calls = root / "calls"
        (self.web / "src").mkdir(parents=True)
        (self.web / "src" / "main.ts").write_text("one")
        self.lock({"": {}, "node_modules/react": {"version": "19.0.0"}})
        npm = root / "bin" / "npm"
        npm.parent.mkdir()
        npm.write_text(_NPM.format(calls=self._calls))
        npm.chmod(0o755)

    def lock(self, packages: dict[str, dict[str, str | bool]]) -> None:
        """Write a lock file with these packages."""
        (self.web / "package-lock.json").write_text(json.dumps({"packages": packages}))

    def calls(self) -> list[str]:
        """Return the arguments of the ``npm`` calls since this method was last called."""
        lines = self._calls.read_text().splitlines() if self._calls.exists() else []
        self._calls.write_text("")
        return lines


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    monkeypatch.delenv("METASTORE_SKIP_WEB", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return Checkout(tmp_path)


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", _ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_a_fresh_checkout_installs_the_packages_and_builds(checkout: Checkout, hook: ModuleType) -> None:
    hook.build_web_app(checkout.root)

    assert checkout.calls() == ["ci", "run build"]


def test_an_unchanged_web_app_is_not_built_again(checkout: Checkout, hook: ModuleType) -> None:
    hook.build_web_app(checkout.root)
    checkout.calls()
    (checkout.web / "src" / "main.ts").touch()
    hook.build_web_app(checkout.root)

    assert checkout.calls() == []


def test_a_changed_source_is_built_with_the_installed_packages(checkout: Checkout, hook: ModuleType) -> None:
    hook.build_web_app(checkout.root)
    checkout.calls()
    (checkout.web / "src" / "main.ts").write_text("two")
    hook.build_web_app(checkout.root)

    assert checkout.calls() == ["run build"]


def test_a_changed_lock_file_installs_the_packages_again(checkout: Checkout, hook: ModuleType) -> None:
    hook.build_web_app(checkout.root)
    checkout.calls()
    checkout.lock({"": {}, "node_modules/react": {"version": "19.0.1"}})
    hook.build_web_app(checkout.root)

    assert checkout.calls() == ["ci", "run build"]


def test_optional_packages_for_other_platforms_may_be_missing(checkout: Checkout, hook: ModuleType) -> None:
    hook.build_web_app(checkout.root)
    checkout.calls()
    binary: dict[str, str | bool] = {"version": "1.0.0", "optional": True}
    checkout.lock({"": {}, "node_modules/react": {"version": "19.0.0"}, "node_modules/elsewhere": binary})
    hook.build_web_app(checkout.root)

    assert checkout.calls() == ["run build"]


def test_the_build_of_the_web_app_can_be_skipped(
    checkout: Checkout, hook: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METASTORE_SKIP_WEB", "1")
    hook.build_web_app(checkout.root)

    assert checkout.calls() == []


def test_without_npm_one_line_says_what_is_missing(
    checkout: Checkout, hook: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(checkout.root))
    with pytest.raises(SystemExit) as caught:
        hook.build_web_app(checkout.root)

    assert "Node.js" in str(caught.value)
    assert "\n" not in str(caught.value)
