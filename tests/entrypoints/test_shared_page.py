"""The HTML of a share link's page: what chat programs show of it, and what they never learn."""

from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from metastore.entrypoints.http import create_app, routers_of
from metastore.entrypoints.shared_page import PLACE, with_head
from metastore.features.sharing.public.schemas import SharedLinkOut
from metastore.features.sharing.schemas import Permission
from tests.fixtures.product import ORIGIN, Running, running

PAGE = f"<!doctype html><html><head>{PLACE}</head><body>{{name}}</body></html>"
REFRESH = '"><meta http-equiv=refresh content="0;url=https://example.org">'


class Head(HTMLParser):
    """The title, the contents of the meta tags by name, and the number of elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.title = ""
        self.meta: dict[str, str] = {}
        self.elements: list[str] = []
        self._in_title = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        found = dict(attrs)
        self.elements.append(tag)
        self._in_title = tag == "title"
        if tag == "meta":
            self.meta[found.get("name") or found.get("property") or "?"] = found.get("content") or ""

    def handle_endtag(self, tag: str) -> None:
        """Note the end of the title."""
        self._in_title = self._in_title and tag != "title"

    def handle_data(self, data: str) -> None:
        """Note the title."""
        if self._in_title:
            self.title += data


def described(name: str | None, **more: Any) -> SharedLinkOut:  # noqa: ANN401  fields of any type
    """Return the description of a link to a file; without a name, that of one with a password."""
    fields: dict[str, Any] = {
        "kind": "file",
        "permission": Permission.VIEW,
        "requires_password": name is None,
        "expires_at": None,
        "has_access": False,
        "name": name,
        "size": None if name is None else 1_572_864,
        "mime_type": None,
        "owner_name": None if name is None else "Anna",
    }
    return SharedLinkOut(**(fields | more))


def test_the_head_tells_the_name_the_size_and_the_owner() -> None:
    head = Head(with_head(PAGE, described("film.mp4")))

    assert head.title == "film.mp4 · MetaStore"
    assert head.meta["og:title"] == "film.mp4"
    assert head.meta["description"] == head.meta["og:description"] == "1.5 MB · Shared by Anna"


def test_a_folder_has_no_size() -> None:
    head = Head(with_head(PAGE, described("album", kind="folder", size=None)))

    assert head.meta["description"] == "Folder · Shared by Anna"


@pytest.mark.parametrize("link", [None, described(None)])
def test_nothing_is_told_of_links_that_are_over_or_have_a_password(link: SharedLinkOut | None) -> None:
    head = Head(with_head(PAGE, link))

    assert (head.title, head.meta["og:title"]) == ("MetaStore", "MetaStore")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (f"{REFRESH}.txt", f"{REFRESH}.txt"),
        ("</title><script>alert(1)</script>", "</title><script>alert(1)</script>"),
        ("{name} {0} {{x}} %s", "{name} {0} {{x}} %s"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("one\r\n\x00two\u2028three", "one two three"),
        (PLACE, PLACE),
    ],
)
def test_names_stay_text_on_one_line(name: str, shown: str) -> None:
    """They add no element, and fill no placeholder; characters that turn the text around are left out."""
    plain = Head(with_head(PAGE, described("a.txt")))

    page = with_head(PAGE, described(name, owner_name=name))
    head = Head(page)

    assert head.elements == plain.elements
    assert head.meta["og:title"] == shown
    assert head.title == f"{shown} · MetaStore"
    assert head.meta["og:description"] == f"1.5 MB · Shared by {shown}"
    assert "<body>{name}</body>" in page


def test_long_names_are_cut() -> None:
    assert len(Head(with_head(PAGE, described("a" * 5000))).meta["og:title"]) == 300


@pytest.fixture
async def product(tmp_path: Path, database_url: str) -> AsyncIterator[Running]:
    """A running product, on both databases, with a web app of one page."""
    web_app = tmp_path / "webapp"
    web_app.mkdir()
    (web_app / "index.html").write_text("the app")
    (web_app / "share.html").write_text(PAGE)
    async with running(tmp_path / "data", database_url=database_url) as started:
        product = started.product
        app = create_app(product.services, routers_of(product.features), web_app=web_app)
        yield Running(product, httpx.ASGITransport(app))


async def shared(product: Running, **options: object) -> dict[str, Any]:
    """Return a new link to a file of a new user's."""
    owner = await product.signed_in()
    files = {"file": ("notes.txt", b"Hello", "text/plain")}
    file = (await owner.json_of("POST", "/api/v1/files/upload", 201, files=files))["file"]
    body = {"resourceId": file["id"], "permission": "VIEW", **options}
    link: dict[str, Any] = await owner.json_of("POST", "/api/v1/share-links", 201, json=body)
    link["accesses"] = (await owner.json_of("GET", f"/api/v1/share-links/{link['id']}/accesses"))["items"]
    await owner.aclose()
    return link


async def test_the_page_of_a_link_has_its_head_and_sends_no_referrer(product: Running) -> None:
    link = await shared(product)

    async with product.client() as anyone:
        page = await anyone.get(link["url"].replace(ORIGIN, ""))

    assert page.status_code == 200
    assert Head(page.text).meta["og:title"] == "notes.txt"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "script-src 'self'" in page.headers["content-security-policy"]


async def test_requesting_the_page_is_not_an_access(product: Running) -> None:
    link = await shared(product, maxAccessCount=1)

    async with product.client() as chat_program:
        for _ in range(3):
            assert (await chat_program.get(f"/share/{link['token']}")).status_code == 200


async def test_the_page_of_a_link_with_a_password_tells_nothing(product: Running) -> None:
    link = await shared(product, password="s3cret")

    async with product.client() as anyone:
        page = await anyone.get(f"/share/{link['token']}")

    assert page.status_code == 200
    assert "notes" not in page.text
    assert Head(page.text).title == "MetaStore"


async def test_the_page_of_an_unknown_link_is_shown_with_404(product: Running) -> None:
    async with product.client() as anyone:
        page = await anyone.get("/share/unknown")

    assert page.status_code == 404
    assert Head(page.text).title == "MetaStore"


async def test_the_template_itself_is_no_page(product: Running) -> None:
    async with product.client() as anyone:
        assert (await anyone.get("/share.html")).text == "the app"
