"""What share links lead to, over HTTP and on both databases."""

import re

import pytest

from metastore.kit.ids import new_id
from tests.features.sharing.shared_drive import BELOW, TEXT, SharedDrive, public


async def test_a_file_is_opened_and_downloaded_without_an_account(drive: SharedDrive) -> None:
    file_id = await drive.upload("notes.txt")
    link = await drive.link(file_id, "DOWNLOAD")
    visitor = drive.visitor(link)

    opened = await visitor.open()

    assert ("notes.txt", None) == (opened["file"]["name"], opened["folder"])
    assert "DOWNLOAD" == opened["permission"]
    assert opened["downloadUrl"].endswith(public(link, f"/items/{file_id}/download"))
    assert opened["streamUrl"] is None
    assert TEXT == await visitor.bytes_of(f"/items/{file_id}/download")


async def test_a_shared_folder_is_the_root_of_what_visitors_see(drive: SharedDrive) -> None:
    """Nothing above it is in paths, breadcrumbs or IDs."""
    home = await drive.folder("private")
    album = await drive.folder("album", home)
    trip = await drive.folder("trip", album)
    note = await drive.upload("note.txt", path="/private/album/trip")
    visitor = drive.visitor(await drive.link(album))

    opened = await visitor.open()
    top = await visitor.json("/items")
    below = await visitor.json("/items", params={"parentId": trip})
    item = await visitor.json(f"/items/{note}")

    assert ("album", "/album", None) == tuple(opened["folder"][name] for name in ("name", "path", "parentId"))
    assert [("trip", "/album/trip", album)] == [(i["name"], i["path"], i["parentId"]) for i in top["items"]]
    assert [{"id": album, "name": "album"}] == top["breadcrumb"]
    assert [{"id": album, "name": "album"}, {"id": trip, "name": "trip"}] == below["breadcrumb"]
    assert ["/album/trip/note.txt"] == [i["path"] for i in below["items"]]
    assert "/album/trip/note.txt" == item["path"]
    assert "private" not in str((opened, top, below, item))
    assert home not in str((opened, top, below, item))


async def test_a_shared_folder_is_listed_by_the_page_in_any_order(drive: SharedDrive) -> None:
    album = await drive.folder("album")
    for number in range(5):
        await drive.upload(f"{number}.txt", path="/album", content=b"x" * (number + 1))
    visitor = await drive.opened(await drive.link(album))
    order = {"sort": "size", "order": "desc", "limit": 3}

    first = await visitor.json("/items", params=order)
    second = await visitor.json("/items", params={**order, "cursor": first["nextCursor"]})

    assert ["4.txt", "3.txt", "2.txt", "1.txt", "0.txt"] == [i["name"] for i in (*first["items"], *second["items"])]
    assert await visitor.problem("/items", 422, params={"cursor": first["nextCursor"]}) == "invalid-cursor"


async def test_a_shared_file_is_listed_alone(drive: SharedDrive) -> None:
    file_id = await drive.upload("notes.txt")
    await drive.upload("other.txt")
    visitor = await drive.opened(await drive.link(file_id))

    listed = await visitor.json("/items")

    assert [("notes.txt", None)] == [(item["name"], item["parentId"]) for item in listed["items"]]
    assert ([], None) == (listed["breadcrumb"], listed["folder"])


async def test_under_view_nothing_leads_to_a_files_own_bytes(drive: SharedDrive) -> None:
    """A text shows its beginning; an image, a sound and a PDF show pictures and streams, if they have any."""
    album = await drive.folder("album")
    text = await drive.upload("notes.txt", path="/album")
    pdf = await drive.upload("paper.pdf", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "/album", "application/pdf")
    sound = await drive.upload("sound.mp3", b"ID3\x04\0\0\0\0\0\0" + b"\xff\xfb\x90\x64" * 500, "/album", "audio/mpeg")
    visitor = await drive.opened(await drive.link(album, "VIEW"))

    for file_id in (text, pdf, sound):
        for route in ("download", "content"):
            assert await visitor.problem(f"/items/{file_id}/{route}", 403) == "download-not-permitted"
        head = await visitor.client.head(public(visitor.link, f"/items/{file_id}/download"))
        assert (403, "location") == (head.status_code, "location" if "location" not in head.headers else "")
        preview = await visitor.json(f"/items/{file_id}/preview")
        assert preview["url"] is None
        assert "/objects/" not in str(preview)
        assert (await visitor.json(f"/items/{file_id}"))["checksum"] is None
    assert (await visitor.json(f"/items/{text}/preview"))["excerpt"]["text"].startswith("What only those")
    assert {None} == {item["checksum"] for item in (await visitor.json("/items"))["items"]}


async def test_under_download_a_viewer_shows_the_file_itself(drive: SharedDrive) -> None:
    """By a route that asks again; types that browsers may execute are downloads only."""
    pdf = await drive.upload("paper.pdf", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "/", "application/pdf")
    page = await drive.upload("page.html", b"<script>alert(1)</script>", "/", "text/html")
    visitor = await drive.opened(await drive.link(pdf, "DOWNLOAD"))
    other = await drive.opened(await drive.link(page, "DOWNLOAD"))

    url = (await visitor.json(f"/items/{pdf}/preview"))["url"]
    content = await visitor.bytes_of(f"/items/{pdf}/content")

    assert url.endswith(public(visitor.link, f"/items/{pdf}/content"))
    assert content.startswith(b"%PDF")
    assert (await other.json(f"/items/{page}/preview"))["url"] is None
    assert await other.problem(f"/items/{page}/content", 404) == "not-found"


async def test_a_link_reaches_nothing_beside_or_above_what_is_shared(drive: SharedDrive) -> None:
    home = await drive.folder("private")
    album = await drive.folder("album", home)
    beside = await drive.upload("beside.txt", path="/private")
    inside = await drive.upload("inside.txt", path="/private/album")
    of_folder = await drive.opened(await drive.link(album, "DOWNLOAD"))
    of_file = await drive.opened(await drive.link(inside, "DOWNLOAD"))

    for visitor, hidden in ((of_folder, (home, beside)), (of_file, (home, beside, album))):
        for node_id in hidden:
            for path in BELOW[1:]:
                assert await visitor.problem(path.format(id=node_id), 404) == "not-found"
            assert await visitor.problem("/items", 404, params={"parentId": node_id}) == "not-found"
        for name in ("..", "%2e%2e", "%2e%2e%2f", new_id(), "x", ".", "%00"):
            response = await visitor.client.get(public(visitor.link, f"/items/{name}"))
            # Clients resolve plain dots themselves: what is left is the link or its list, and nothing of the parent.
            assert response.status_code in (200, 404, 405), response.text
            assert not [hidden for hidden in ("beside", home, "private") if hidden in response.text]
            assert await visitor.problem("/items", 404, params={"parentId": name}) == "not-found"


async def test_a_link_follows_a_file_that_is_renamed_and_moved(drive: SharedDrive) -> None:
    file_id, folder = await drive.upload("notes.txt"), await drive.folder("elsewhere")
    visitor = await drive.opened(await drive.link(file_id))

    await drive.owner.json_of("PATCH", f"/api/v1/files/{file_id}", json={"name": "n.txt", "parentId": folder})

    assert "n.txt" == (await visitor.json())["name"]
    assert "/n.txt" == (await visitor.json(f"/items/{file_id}"))["path"]


async def test_what_is_moved_out_of_a_shared_folder_is_gone_for_visitors(drive: SharedDrive) -> None:
    album = await drive.folder("album")
    file_id = await drive.upload("notes.txt", path="/album")
    visitor = await drive.opened(await drive.link(album, "DOWNLOAD"))
    await visitor.location(f"/items/{file_id}/download")

    await drive.owner.json_of("PATCH", f"/api/v1/files/{file_id}", json={"parentId": None})

    assert await visitor.problem(f"/items/{file_id}/download", 404) == "not-found"


@pytest.mark.parametrize("name", ['"><meta http-equiv=refresh>.txt', "{{7*7}}.txt", "Ünï 日本.txt"])
async def test_hostile_names_reach_visitors_as_text(drive: SharedDrive, name: str) -> None:
    """In JSON as they are, and encoded in headers."""
    file_id = await drive.upload("plain.txt")
    await drive.owner.json_of("PATCH", f"/api/v1/files/{file_id}", json={"name": name})
    visitor = await drive.opened(await drive.link(file_id, "DOWNLOAD"))

    described = await visitor.client.get(public(visitor.link))
    download = await visitor.client.get(await visitor.location(f"/items/{file_id}/download"))

    assert name == described.json()["name"]
    assert "application/json" == described.headers["content-type"]
    disposition = download.headers["content-disposition"]
    assert re.fullmatch(
        r"""attachment; filename="[ !#-\[\]-~]*"(; filename\*=UTF-8''[A-Za-z0-9%._~-]+)?""", disposition
    )
