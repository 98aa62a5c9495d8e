"""The translation check reports codes without a text, and texts without a code."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

_ROOT = Path(__file__).parents[2]
_CODES = {"problems.ts": ["not-found", "stale"]}
_COMPLETE = "export default {\n  'not-found': 'It is gone.',\n  stale:\n    'It’s changed.',\n};\n"


@pytest.fixture(scope="module")
def translations() -> ModuleType:
    """The script, loaded as a module."""
    spec = importlib.util.spec_from_file_location("translations", _ROOT / ".ci" / "translations.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """Two complete languages."""
    for language in ("en", "vi"):
        (tmp_path / language).mkdir()
        (tmp_path / language / "problems.ts").write_text(_COMPLETE)
    return tmp_path


def test_the_web_client_has_a_text_for_each_code(translations: ModuleType) -> None:
    assert [] == translations.complaints_about(_ROOT / translations.TEXTS, translations.CODES)


def test_complete_languages_pass(translations: ModuleType, texts: Path) -> None:
    assert [] == translations.complaints_about(texts, _CODES)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        pytest.param(
            "  'not-found': 'It is gone.',\n", "", "add a text for the code 'not-found'", id="code without text"
        ),
        pytest.param(
            "stale:", "'folder-cycle':", "remove 'folder-cycle', which the server never sends", id="text without code"
        ),
        pytest.param("It is gone.", "", "write the text for the code 'not-found'", id="empty text"),
    ],
)
def test_a_difference_in_one_language_is_reported(
    translations: ModuleType, texts: Path, old: str, new: str, complaint: str
) -> None:
    path = texts / "vi" / "problems.ts"
    path.write_text(_COMPLETE.replace(old, new))
    assert f"{path}: {complaint}" in translations.complaints_about(texts, _CODES)


def test_a_missing_file_is_reported(translations: ModuleType, texts: Path) -> None:
    path = texts / "vi" / "problems.ts"
    path.unlink()
    assert [f"{path}: is missing: write it with a text for each code"] == translations.complaints_about(texts, _CODES)


def test_a_missing_folder_is_reported(translations: ModuleType, tmp_path: Path) -> None:
    assert translations.complaints_about(tmp_path / "moved", _CODES)


def test_complaints_are_printed_and_fail_the_check(
    translations: ModuleType, texts: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(translations, "TEXTS", texts)
    monkeypatch.setattr(translations, "CODES", {"problems.ts": ["not-found", "stale", "unavailable"]})
    assert 1 == translations.main()
    assert [f"{texts}/{language}/problems.ts: add a text for the code 'unavailable'" for language in ("en", "vi")] == (
        capsys.readouterr().err.splitlines()
    )
