"""Each check of the tree reports a violation in one line that says what to do."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from checks.complaint import Complaint
from checks.folders import crowded_folders
from checks.glossary import bans, contradictions, words_of
from checks.lengths import long_files
from checks.locks import gaps_in_npm_lock, registries_in_locks
from checks.maps import wrong_architecture_tree, wrong_package_pages
from checks.names import banned_file_names, banned_names
from checks.prose import banned_prose
from checks.tree import Tree, tracked

_ROOT = Path(__file__).parents[2]
_GLOSSARY = "| term | meaning | not |\n|---|---|---|\n| response | What is returned. | `zork`, **burnt toast** |\n"
MakeTree = Callable[[dict[str, str]], Tree]


@pytest.fixture
def make_tree(tmp_path: Path) -> MakeTree:
    """Return a function that writes files, and a glossary with two banned words, and returns them as a tree."""

    def make(files: dict[str, str]) -> Tree:
        files = {"docs/glossary.md": _GLOSSARY} | files
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return Tree(tmp_path, tuple(sorted(map(PurePosixPath, files))))

    return make


# --- lengths ---------------------------------------------------------------------------------------------------------


def test_a_source_file_of_more_than_400_lines_is_reported(make_tree: MakeTree) -> None:
    tree = make_tree({"src/long.py": "\n" * 401, "src/short.py": "\n" * 400, "notes.md": "\n" * 500})

    assert list(long_files(tree)) == [
        Complaint("src/long.py", 0, "401 lines, more than 400: split it by what it is about")
    ]


# --- lock files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "complaints"),
    [
        ("requirements.lock", "six==1.17.0 \\\n    --hash=sha256:00\n", 0),
        ("requirements.lock", "--index-url https://packages.example.org/simple\nsix==1.17.0\n", 1),
        ("requirements.lock", "six @ https://packages.example.org/six.whl\n", 1),
        ("package-lock.json", '"integrity": "sha512-00"\n"url": "https://github.com/sponsors/them"\n', 0),
        ("package-lock.json", '"resolved": "https://packages.example.org/six.tgz"\n', 1),
    ],
)
def test_a_lock_that_names_a_registry_is_refused(make_tree: MakeTree, name: str, content: str, complaints: int) -> None:
    assert len(list(registries_in_locks(make_tree({name: content})))) == complaints


def test_a_web_lock_that_leaves_out_an_optional_package_is_refused(make_tree: MakeTree) -> None:
    packages = (
        '{"packages": {"node_modules/linter": {"optionalDependencies": {"linter-linux": "1", "linter-windows": "1"}},'
        ' "node_modules/linter-linux": {}}}'
    )
    tree = make_tree({"web/package-lock.json": packages})

    assert [complaint.text for complaint in gaps_in_npm_lock(tree)] == [
        "lacks linter-windows; write it again by `make lock`"
    ]


# --- folders ---------------------------------------------------------------------------------------------------------


def test_a_folder_of_a_feature_with_more_than_a_dozen_names_is_refused(make_tree: MakeTree) -> None:
    feature = "src/metastore/features/notes"
    modules = {f"{feature}/module_{number}.py": "" for number in range(11)}
    packages = {f"{feature}/__init__.py": "", f"{feature}/inside/__init__.py": "", f"{feature}/inside/deep.py": ""}

    assert not list(crowded_folders(make_tree(modules | packages)))
    assert list(crowded_folders(make_tree(modules | packages | {f"{feature}/one_more.py": ""}))) == [
        Complaint(feature, 0, "13 modules and packages, more than 12: group those that belong together in a package")
    ]


# --- the glossary ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["the_zork", "Zorks", "FIRST_ZORK", "lateZork", "_zork"])
def test_a_name_with_a_banned_word_is_refused_where_it_is_defined(make_tree: MakeTree, name: str) -> None:
    tree = make_tree({"src/one.py": f"import library\n\n{name} = library.zork\nlibrary.use({name})\n"})

    (complaint,) = banned_names(tree)

    assert str(complaint) == f"src/one.py:3: the name {name} says “zork”: write “response” instead (docs/glossary.md)"


@pytest.mark.parametrize(
    "source",
    [
        "def zork(): ...",
        "async def zork(): ...",
        "class Zork: ...",
        "def ask(*, zork): ...",
        "import others as zork",
        "for zork in []: ...",
        "box.zork = 1",
        "with open('x') as zork: ...",
        "try: ...\nexcept ValueError as zork: ...",
        "class Row:\n    zork: int",
        "if (zork := 1): ...",
        "match 1:\n    case zork: ...",
        "match []:\n    case [*zork]: ...",
    ],
)
def test_every_kind_of_definition_is_checked(make_tree: MakeTree, source: str) -> None:
    assert len(list(banned_names(make_tree({"tests/one.py": source})))) == 1


def test_names_of_tests_are_sentences_and_may_use_words_that_are_banned_in_names(make_tree: MakeTree) -> None:
    allowed = make_tree({"tests/test_one.py": "def test_it_zorks_with_a_zork(): ..."})
    assert not list(banned_names(allowed))

    refused = make_tree({"tests/test_one.py": "def test_it_keeps_a_burnt_toast(): ..."})
    assert len(list(banned_names(refused))) == 1


@pytest.mark.parametrize("path", ["src/zorks/one.py", "src/late_zork.py", "web/src/the-zork.module.css"])
def test_a_file_or_folder_with_a_banned_word_is_refused(make_tree: MakeTree, path: str) -> None:
    (complaint,) = banned_file_names(make_tree({path: ""}))

    assert complaint.text == "the name says “zork”: write “response” instead (docs/glossary.md)"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/one.py", '"""One.\n\nIt is no burnt toast.\n"""\n'),
        ("src/one.py", "\n\n# Burnt toasts are kept.\n"),
        ("src/one.py", 'class Row:\n    field: int\n    """A burnt toast."""\n'),
        ("docs/page.md", "# Page\n\nA burnt\ntoast.\n"),
    ],
)
def test_prose_with_words_that_are_banned_everywhere_is_refused_with_its_line(
    make_tree: MakeTree, path: str, text: str
) -> None:
    (complaint,) = banned_prose(make_tree({path: text}))

    assert str(complaint) == f"{path}:3: the text says “burnt toast”: write “response” instead (docs/glossary.md)"


def test_prose_may_use_words_that_are_banned_in_names_and_quote_all_words(make_tree: MakeTree) -> None:
    tree = make_tree({"src/one.py": '"""The zork.\n\nSee ``burnt_toast``.\n"""\n', "a.md": "`burnt toast`"})

    assert not list(banned_prose(tree))


@pytest.mark.parametrize(("banned", "written"), [("zork", "zorks"), ("zorks", "zork")])
def test_singular_and_plural_count_alike(make_tree: MakeTree, banned: str, written: str) -> None:
    glossary = f"| term | meaning | not |\n|---|---|---|\n| reply | A reply. | **{banned}** |\n"

    assert len(list(banned_prose(make_tree({"docs/glossary.md": glossary, "a.md": f"Some {written}."})))) == 1


def test_strings_are_not_prose(make_tree: MakeTree) -> None:
    assert not list(banned_prose(make_tree({"src/one.py": 'TEXT = "a burnt toast"\n'})))


def test_a_glossary_that_bans_one_of_its_own_terms_is_refused(make_tree: MakeTree) -> None:
    tree = make_tree({"docs/glossary.md": f"{_GLOSSARY}| late zork | A late one. | |\n"})

    (complaint,) = contradictions(tree)

    assert complaint.line == 4
    assert "the term “late zork” uses a banned word" in complaint.text


def test_a_glossary_without_a_table_is_refused(make_tree: MakeTree) -> None:
    (complaint,) = contradictions(make_tree({"docs/glossary.md": "# Glossary\n"}))

    assert complaint.text.startswith("has no table")


def test_a_word_that_is_banned_twice_names_all_terms_to_choose_from(make_tree: MakeTree) -> None:
    tree = make_tree({"docs/glossary.md": f"{_GLOSSARY}| reply | What is said back. | `zork` |\n"})

    assert "“zork”: write “response” or “reply” instead (docs/glossary.md)" in [str(ban) for ban in bans(tree)]


def test_words_of_names_are_found_in_any_style() -> None:
    assert words_of("HTTPServer2_and-camelCase") == ["http", "server", "and", "camel", "case"]


# --- maps ------------------------------------------------------------------------------------------------------------


def test_a_package_page_that_lists_modules_lists_exactly_the_existing_ones(make_tree: MakeTree) -> None:
    page = '"""Things.\n\n* ``one``, ``gone``: these.\n"""\n'
    tree = make_tree({f"src/metastore/kit/{name}": page for name in ("__init__.py", "one.py", "new.py")})

    assert [str(complaint) for complaint in wrong_package_pages(tree)] == [
        "src/metastore/kit/__init__.py:3: lists gone, which does not exist: remove it",
        "src/metastore/kit/__init__.py:1: does not list new: add a line “* ``new``: meaning”",
    ]


@pytest.mark.parametrize("folder", ["features", "ports", "kit", "features/notes"])
def test_central_packages_must_list_their_modules(make_tree: MakeTree, folder: str) -> None:
    files = {f"src/metastore/{folder}/{name}": "" for name in ("__init__.py", "one.py", "two.py")}

    (complaint,) = wrong_package_pages(make_tree(files))

    assert str(complaint) == (
        f"src/metastore/{folder}/__init__.py:1: lists no modules: add a line “* ``name``: meaning” for each"
    )


def test_a_feature_with_only_the_usual_modules_needs_no_list(make_tree: MakeTree) -> None:
    files = {f"src/metastore/features/notes/{name}.py": "" for name in ("__init__", "service", "models", "events")}

    assert not list(wrong_package_pages(make_tree(files)))


def test_the_tree_in_the_architecture_page_matches_the_files(make_tree: MakeTree) -> None:
    shown = "```\nsrc/metastore/\n  kit/        mechanisms\n    clock.py  time\n    gone.py   nothing\nweb/    client\n"
    files = ["kit/__init__.py", "kit/clock.py", "kit/ids.py", "config.py"]
    tree = make_tree(
        {"ARCHITECTURE.md": f"{shown}```\n"} | {f"src/metastore/{name}": "" for name in files} | {"web/a.ts": ""}
    )

    assert [str(complaint) for complaint in wrong_architecture_tree(tree)] == [
        "ARCHITECTURE.md:5: the tree shows src/metastore/kit/gone, which does not exist: remove it",
        "ARCHITECTURE.md: the tree does not show docs: add it",
        "ARCHITECTURE.md: the tree does not show src/metastore/config: add it",
        "ARCHITECTURE.md: the tree does not show src/metastore/kit/ids: add it",
    ]


# --- all checks, as `make lint-tree` runs them -----------------------------------------------------------------------

_VIOLATIONS = {
    "docs/glossary.md": "\n| response | What the server returns. | `zork` |\n",
    "src/metastore/kit/ids.py": "\n\ndef _late() -> None:\n    from metastore.kit import clock\n",
    "src/metastore/kit/clock.py": "\n\nfrom metastore.kit import ids\n\nlate_zork = ids\n",
    "README.md": "\n| `METASTORE_PORT` | `80` | |\n| `METASTORE_LOG_LEVEL` | info | |\nSet `METASTORE_COLOUR`.\n",
    "src/metastore/config.py": '\n\nSettings.model_fields["shape"] = Settings.model_fields["port"]\n',
}
_EXPECTED = [
    "import cycle: metastore.kit.clock → metastore.kit.ids → metastore.kit.clock: move what both ends need",
    "the name late_zork says “zork”: write “response” instead (docs/glossary.md)",
    "METASTORE_PORT is `8080` by default, not `80`: correct it",
    "METASTORE_LOG_LEVEL is `info` by default, not info: correct it",
    "METASTORE_COLOUR is not a setting: remove it, or add it to config.py",
    "README.md: the table of settings lacks METASTORE_SHAPE: add its default and meaning",
]


@pytest.fixture(scope="module")
def broken_tree(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """The output of all checks on a copy of this tree that violates some of the rules."""
    copy = tmp_path_factory.mktemp("broken")
    for file in (*tracked(_ROOT).under("src", ".ci", "docs"), PurePosixPath("README.md")):
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_ROOT / file, copy / file)
    for name, addition in _VIOLATIONS.items():
        with (copy / name).open("a") as opened:
            opened.write(addition)
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=copy, check=True)
    environment = {**os.environ, "PYTHONPATH": ".ci"}
    return subprocess.run(
        [sys.executable, "-m", "checks"], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("line", _EXPECTED)
def test_a_broken_rule_fails_the_check(broken_tree: subprocess.CompletedProcess[str], line: str) -> None:
    assert broken_tree.returncode == 1
    assert line in broken_tree.stderr


def test_complaints_are_sorted_by_file_and_line(broken_tree: subprocess.CompletedProcess[str]) -> None:
    files = [line.partition(":")[0] for line in broken_tree.stderr.splitlines()]

    assert files == sorted(files)
