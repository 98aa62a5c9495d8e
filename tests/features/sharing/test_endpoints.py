"""What owners do with their share links, over HTTP and on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from metastore.kit.clock import rfc3339, utc_now
from metastore.kit.events.outbox import OutboxEvent
from metastore.kit.ids import new_id
from tests.features.sharing.shared_drive import LINKS, SharedDrive, public
from tests.fixtures.tables import all_tables


async def test_a_new_link_is_shown_with_its_url_again_and_again(drive: SharedDrive) -> None:
    """Only its owner sees it; the token has at least 128 bits."""
    file_id = await drive.upload("notes.txt")
    expires_at = rfc3339(utc_now() + timedelta(days=1))

    link = await drive.link(
        file_id, "DOWNLOAD", expiresAt=expires_at, password="s3cret", maxAccessCount=3, label=" For Anna "
    )

    assert link == await drive.shown(link)
    assert [link] == (await drive.owner.json_of("GET", LINKS))["items"]
    assert [link] == (await drive.owner.json_of("GET", LINKS, params={"resourceId": file_id}))["items"]
    assert [] == (await drive.owner.json_of("GET", LINKS, params={"resourceId": new_id()}))["items"]
    assert len(link["token"]) >= 22
    assert link["url"].endswith(f"/share/{link['token']}")
    expected = {
        "resourceId": file_id,
        "name": "notes.txt",
        "kind": "file",
        "permission": "DOWNLOAD",
        "expiresAt": expires_at,
        "hasPassword": True,
        "maxAccessCount": 3,
        "accessCount": 0,
        "lastAccessedAt": None,
        "isActive": True,
        "revokedAt": None,
        "label": "For Anna",
    }
    assert expected == {name: link[name] for name in expected}
    assert "s3cret" not in str(link)


async def test_links_are_listed_latest_first_by_the_page(drive: SharedDrive) -> None:
    folder = await drive.folder("album")
    links = [(await drive.link(folder))["id"] for _ in range(3)]

    first = await drive.owner.json_of("GET", LINKS, params={"limit": 2})
    second = await drive.owner.json_of("GET", LINKS, params={"limit": 2, "cursor": first["nextCursor"]})

    assert links[::-1] == [link["id"] for link in (*first["items"], *second["items"])]
    assert second["nextCursor"] is None
    assert await drive.owner.problem_of("GET", LINKS, 422, params={"cursor": "x"}) == "invalid-cursor"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("permission", "UPLOAD"),
        ("permission", "EDIT"),
        ("permission", None),
        ("expiresAt", "2020-01-01T00:00:00Z"),
        ("expiresAt", "tomorrow"),
        ("expiresAt", "2999-01-01T00:00:00"),
        ("maxAccessCount", 0),
        ("maxAccessCount", -1),
        ("maxAccessCount", "5"),
        ("password", ""),
        ("password", "x" * 2**20),
        ("label", "x" * 101),
        ("label", "two\nlines"),
    ],
)
async def test_a_link_with_a_bad_field_is_refused_by_its_name(drive: SharedDrive, field: str, value: object) -> None:
    """Both when it is created and when it is changed."""
    folder = await drive.folder("album")
    link = await drive.link(folder)
    new: dict[str, object] = {"resourceId": folder, "permission": "VIEW"}

    for method, url, body in (("POST", LINKS, new), ("PATCH", f"{LINKS}/{link['id']}", {})):
        response = await drive.owner.request(method, url, json={**body, field: value})

        assert response.status_code == 422, response.text
        assert field in response.text
    assert link == await drive.shown(link)


async def test_only_what_is_ones_own_can_be_shared(drive: SharedDrive) -> None:
    stranger = await drive.running.signed_in()
    folder = await drive.folder("album")

    for resource in (folder, new_id(), "..", "%2e%2e", ""):
        body = {"resourceId": resource, "permission": "VIEW"}
        assert await stranger.problem_of("POST", LINKS, 404, json=body) == "not-found"
    await stranger.aclose()


async def test_a_link_does_not_exist_for_others(drive: SharedDrive) -> None:
    link = await drive.link(await drive.folder("album"))
    stranger = await drive.running.signed_in()
    url = f"{LINKS}/{link['id']}"

    for method, path in (
        ("GET", url),
        ("DELETE", url),
        ("PATCH", url),
        ("POST", f"{url}/rotate"),
        ("GET", f"{url}/accesses"),
    ):
        body = {"json": {"label": "mine"}} if method == "PATCH" else {}
        assert await stranger.problem_of(method, path, 404, **body) == "not-found"
    for unknown in ("%00", "x", new_id(), "%ff"):
        assert await drive.owner.problem_of("GET", f"{LINKS}/{unknown}", 404) == "not-found"
    assert [] == (await drive.owner.json_of("GET", LINKS, params={"resourceId": "\0"}))["items"]
    assert [] == (await stranger.json_of("GET", LINKS))["items"]
    assert link == await drive.shown(link)
    await stranger.aclose()


async def test_visitors_make_and_change_no_links(drive: SharedDrive) -> None:
    """Whatever grant they hold."""
    folder = await drive.folder("album")
    link = await drive.link(folder, "VIEW")
    visitor = await drive.opened(link)
    bearer = {"Authorization": f"Bearer {(await visitor.open())['grant']}"}

    body = {"resourceId": folder, "permission": "DOWNLOAD"}
    for method, url in (("POST", LINKS), ("PATCH", f"{LINKS}/{link['id']}"), ("GET", LINKS)):
        assert await visitor.client.problem_of(method, url, 401, json=body, headers=bearer) == "not-authenticated"


async def test_a_label_changes_nothing_for_visitors(drive: SharedDrive) -> None:
    link = await drive.link(await drive.folder("album"))
    visitor = await drive.opened(link)

    changed = await drive.change(link, label="For Anna")

    assert changed["label"] == "For Anna"
    await visitor.json("/items")


@pytest.mark.parametrize(
    "change",
    [
        {"permission": "DOWNLOAD"},
        {"password": "new"},
        {"password": None},
        {"maxAccessCount": 9},
        {"expiresAt": "2999-01-01T00:00:00Z"},
    ],
)
async def test_after_any_other_change_visitors_have_to_open_a_link_again(
    drive: SharedDrive, change: dict[str, object]
) -> None:
    link = await drive.link(await drive.folder("album"), password="old")
    visitor = await drive.opened(link, "old")

    changed = await drive.change(link, **change)

    assert await visitor.problem("/items", 401) == "link-access-required"
    await visitor.open(str(change.get("password", "old")))
    await visitor.json("/items")
    expected = {name: value for name, value in change.items() if name != "password"}
    assert expected.items() <= {**changed, "expiresAt": "2999-01-01T00:00:00Z"}.items()
    assert changed["hasPassword"] is (change.get("password", "old") is not None)


async def test_taking_limits_away_makes_a_link_work_again(drive: SharedDrive) -> None:
    link = await drive.link(await drive.folder("album"), maxAccessCount=1)
    await drive.opened(link)
    assert not (await drive.shown(link))["isActive"]

    changed = await drive.change(link, maxAccessCount=None)

    assert changed["isActive"]
    await drive.opened(link)


async def test_a_rotated_link_has_a_new_token_and_the_old_one_opens_nothing(drive: SharedDrive) -> None:
    link = await drive.link(await drive.folder("album"))
    visitor = await drive.opened(link)

    rotated = await drive.owner.json_of("POST", f"{LINKS}/{link['id']}/rotate")

    assert rotated["token"] != link["token"]
    assert await visitor.problem("", 404) == "not-found"
    assert await visitor.problem("/items", 404) == "not-found"
    await drive.opened(rotated)


async def test_a_revoked_link_stays_revoked_and_listed(drive: SharedDrive) -> None:
    link = await drive.link(await drive.folder("album"))

    await drive.revoke(link)
    await drive.revoke(link)

    shown = await drive.shown(link)
    assert not shown["isActive"]
    assert shown["revokedAt"] is not None
    url = f"{LINKS}/{link['id']}"
    assert await drive.owner.problem_of("PATCH", url, 410, json={"label": "x"}) == "link-revoked"
    assert await drive.owner.problem_of("POST", f"{url}/rotate", 410) == "link-revoked"


async def test_owners_see_who_opened_a_link_and_downloaded(drive: SharedDrive) -> None:
    file_id = await drive.upload("notes.txt")
    link = await drive.link(file_id, "DOWNLOAD")
    visitor = await drive.opened(link)
    await visitor.open()
    await visitor.location(f"/items/{file_id}/download")
    await drive.opened(link)

    accesses = await drive.accesses(link)

    shown = [(access["action"], access["counted"]) for access in accesses]
    assert [("access", True), ("download", False), ("access", False), ("access", True)] == shown
    assert len({access["visitor"] for access in accesses[1:]}) == 1
    assert accesses[0]["visitor"] != accesses[1]["visitor"]
    assert {"127.0.0.1"} == {access["address"] for access in accesses}
    page = await drive.owner.json_of("GET", f"{LINKS}/{link['id']}/accesses", params={"limit": 3})
    cursor = {"cursor": page["nextCursor"]}
    assert accesses[3:] == (await drive.owner.json_of("GET", f"{LINKS}/{link['id']}/accesses", params=cursor))["items"]


async def test_a_link_is_created_once_for_an_idempotency_key(drive: SharedDrive) -> None:
    folder, key = await drive.folder("album"), {"Idempotency-Key": new_id()}
    body = {"resourceId": folder, "permission": "VIEW", "password": "s3cret"}

    links = [await drive.owner.json_of("POST", LINKS, 201, json=body, headers=key) for _ in range(2)]
    rotate = f"{LINKS}/{links[0]['id']}/rotate"
    rotated = [await drive.owner.json_of("POST", rotate, headers={"Idempotency-Key": "r"}) for _ in range(2)]

    assert links[0] == links[1]
    assert 1 == len((await drive.owner.json_of("GET", LINKS))["items"])
    assert rotated[0] == rotated[1]
    assert links[0]["token"] != rotated[0]["token"]


async def test_a_stolen_database_has_no_token_that_opens_a_link(drive: SharedDrive) -> None:
    """Neither a link's nor a visitor's: not in rows, events, the audit trail or stored responses."""
    file_id = await drive.upload("notes.txt")
    link = await drive.link(file_id, "VIEW", password="s3cret")
    key = {"Idempotency-Key": new_id()}
    rotated = await drive.owner.json_of("POST", f"{LINKS}/{link['id']}/rotate", headers=key)
    visitor = drive.visitor(rotated)
    opened = await visitor.open("s3cret")
    assert await visitor.problem(f"/items/{file_id}/download", 403) == "download-not-permitted"
    await drive.owner.json_of("DELETE", f"/api/v1/files/{file_id}", 204)
    await visitor.problem("", 404)

    async with drive.database.reading() as tx:
        rows = [str(row) for table in all_tables().sorted_tables for row in await tx.session.execute(select(table))]

    for secret in (link["token"], rotated["token"], opened["grant"], "s3cret"):
        assert not [row for row in rows if secret in row]
    assert any("download-not-permitted" in row and "/token/{token}/items/" in row for row in rows)


async def test_what_happens_to_a_link_is_told_by_events(drive: SharedDrive) -> None:
    folder = await drive.folder("album")
    link = await drive.link(folder, "DOWNLOAD")
    await drive.opened(link)
    await drive.change(link, label="x", permission="VIEW")
    await drive.revoke(link)

    async with drive.database.reading() as tx:
        statement = select(OutboxEvent).where(OutboxEvent.event_type.startswith("share.")).order_by(OutboxEvent.id)
        events = [(event.event_type, event.payload) for event in await tx.session.scalars(statement)]

    about = {"linkId": link["id"], "ownerId": drive.owner_id, "nodeId": folder}
    assert [event_type for event_type, _ in events] == [
        "share.created",
        "share.accessed",
        "share.changed",
        "share.revoked",
    ]
    assert all(about.items() <= payload.items() for _, payload in events)
    assert {"name": "album", "accessCount": 1, "notify": True}.items() <= events[1][1].items()
    assert events[2][1]["fields"] == ["label", "permission"]


async def test_the_url_of_a_link_leads_to_what_visitors_are_shown(drive: SharedDrive) -> None:
    link = await drive.link(await drive.folder("album"))

    described = await drive.visitor(link).json()

    assert public(link).endswith(link["url"].rsplit("/", 1)[1])
    assert described["name"] == "album"
