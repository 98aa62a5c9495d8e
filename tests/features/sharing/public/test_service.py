"""Opening share links: their state, their password, and what counts, over HTTP and on both databases."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from metastore.features.auth.identity.roles import Status
from metastore.features.sharing.models import ShareLink
from metastore.kit.clock import rfc3339, utc_now
from metastore.kit.events.outbox import OutboxEvent
from tests.features.sharing.shared_drive import BELOW, LINKS, TEXT, SharedDrive, public


async def test_a_link_without_a_password_says_what_it_leads_to(drive: SharedDrive) -> None:
    link = await drive.link(await drive.upload("notes.txt"))

    described = await drive.visitor(link).json()

    assert {
        "name": "notes.txt",
        "kind": "file",
        "size": len(TEXT),
        "mimeType": "text/plain",
        "permission": "VIEW",
        "requiresPassword": False,
        "expiresAt": None,
        "hasAccess": False,
        "ownerName": "vera",
    } == described


async def test_a_link_with_a_password_says_nothing_of_the_file_before_it(drive: SharedDrive) -> None:
    """Neither in a response nor in a header; afterwards it does."""
    link = await drive.link(await drive.upload("notes.txt"), password="s3cret")
    visitor = drive.visitor(link)

    before = await visitor.client.get(public(link))
    refused = await visitor.client.post(public(link, "/access"), json={"password": "wrong"})
    await visitor.open("s3cret")
    after = await visitor.json()

    hidden = {"name": None, "size": None, "mimeType": None, "ownerName": None, "hasAccess": False}
    assert hidden.items() <= before.json().items()
    for response in (before, refused):
        assert not [word for word in ("notes", "vera", str(len(TEXT)), "text/plain") if word in response.text]
        assert "notes" not in str(response.headers)
    assert ("notes.txt", len(TEXT), "vera", True) == tuple(
        after[name] for name in ("name", "size", "ownerName", "hasAccess")
    )


@pytest.mark.parametrize("token", ["x", "..", "%2e%2e", "A" * 24, "A" * 5000, "%00", "%E2%80%AE"])
async def test_an_unknown_token_opens_nothing(drive: SharedDrive, token: str) -> None:
    client = drive.visitor({"token": token}).client

    for method, path in (("GET", ""), ("POST", "/access"), ("GET", "/items")):
        response = await client.request(method, f"{LINKS}/token/{token}{path}", json={})
        assert response.status_code in (401, 404, 405), response.text


async def test_only_opening_a_link_counts(drive: SharedDrive) -> None:
    """Not what chat programs, crawlers and prefetching browsers do, which read pages and never post."""
    file_id = await drive.upload("notes.txt")
    link = await drive.link(file_id, "DOWNLOAD", maxAccessCount=2)
    visitor = await drive.opened(link)

    for headers in ({"Sec-Purpose": "prefetch"}, {"User-Agent": "TelegramBot"}, {"Purpose": "prefetch"}, {}):
        await visitor.json(headers=headers)
        await visitor.json("/items", headers=headers)
        await visitor.client.head(public(link, f"/items/{file_id}/download"), headers=headers)
        await visitor.location(f"/items/{file_id}/download")

    shown = await drive.shown(link)
    assert 1 == shown["accessCount"]
    assert shown["lastAccessedAt"] is not None


async def test_a_visitor_who_holds_a_grant_is_not_counted_again(drive: SharedDrive) -> None:
    """Nor asked for the password, and not shut out when the link is used up by others."""
    link = await drive.link(await drive.upload("notes.txt"), password="s3cret", maxAccessCount=2)
    visitor = await drive.opened(link, "s3cret")
    await visitor.open()
    await drive.opened(link, "s3cret")
    late = drive.visitor(link)

    for path, method in (("", "GET"), ("/access", "POST")):
        json = {"password": "s3cret"} if path else None
        assert await late.client.problem_of(method, public(link, path), 410, json=json) == "link-used-up"
    await visitor.open()
    await visitor.json("/items")
    shown = await drive.shown(link)
    assert (2, False) == (shown["accessCount"], shown["isActive"])


async def test_an_owner_is_to_be_notified_of_a_link_once_an_hour(drive: SharedDrive) -> None:
    """With the number of accesses by then."""
    link = await drive.link(await drive.upload("notes.txt"))
    for _ in range(3):
        await drive.opened(link)
    async with drive.database.transaction() as tx:
        await tx.session.execute(update(ShareLink).values(notified_at=utc_now() - timedelta(hours=1)))
    await drive.opened(link)

    async with drive.database.reading() as tx:
        statement = select(OutboxEvent).where(OutboxEvent.event_type == "share.accessed").order_by(OutboxEvent.id)
        events = [event.payload for event in await tx.session.scalars(statement)]

    assert [(1, True), (2, False), (3, False), (4, True)] == [(e["accessCount"], e["notify"]) for e in events]


async def test_of_64_visitors_at_once_exactly_as_many_get_in_as_the_link_allows(drive: SharedDrive) -> None:
    link = await drive.link(await drive.upload("notes.txt"), maxAccessCount=5)
    visitors = [drive.visitor(link) for _ in range(64)]

    responses = await asyncio.gather(*(each.client.post(public(link, "/access"), json={}) for each in visitors))

    assert [200] * 5 + [410] * 59 == sorted(response.status_code for response in responses)
    assert 5 == (await drive.shown(link))["accessCount"]
    assert 5 == len(await drive.accesses(link))


async def test_a_link_opens_nothing_from_the_second_on_in_which_it_expires(drive: SharedDrive) -> None:
    file_id = await drive.upload("notes.txt")
    link = await drive.link(file_id, "DOWNLOAD", expiresAt=rfc3339(utc_now() + timedelta(hours=1)))
    visitor = await drive.opened(link)
    await visitor.json("/items")

    async with drive.database.transaction() as tx:
        await tx.session.execute(update(ShareLink).values(expires_at=utc_now()))

    assert await visitor.problem("", 410) == "link-expired"
    assert await visitor.client.problem_of("POST", public(link, "/access"), 410, json={}) == "link-expired"
    for path in BELOW:
        assert await visitor.problem(path.format(id=file_id), 410) == "link-expired"


async def test_a_revoked_link_opens_nothing_for_those_who_had_opened_it(drive: SharedDrive) -> None:
    file_id = await drive.upload("notes.txt")
    link = await drive.link(file_id, "DOWNLOAD")
    visitor = await drive.opened(link)

    await drive.revoke(link)

    assert await visitor.problem("", 410) == "link-revoked"
    assert await visitor.client.problem_of("POST", public(link, "/access"), 410, json={}) == "link-revoked"
    for path in BELOW:
        assert await visitor.problem(path.format(id=file_id), 410) == "link-revoked"


async def test_a_link_is_dead_in_the_trash_and_alive_again_when_restored(drive: SharedDrive) -> None:
    """It is not over for good, so it is 404; also if a folder above was trashed."""
    home = await drive.folder("home")
    album = await drive.folder("album", home)
    link = await drive.link(album)
    visitor = await drive.opened(link)

    for folder in (album, home):
        await drive.owner.json_of("DELETE", f"/api/v1/folders/{folder}", 204)
        assert await visitor.problem("", 404) == "not-found"
        assert await visitor.problem("/items", 404) == "not-found"
        assert await visitor.client.problem_of("POST", public(link, "/access"), 404, json={}) == "not-found"
        assert not (await drive.shown(link))["isActive"]
        await drive.owner.json_of("POST", f"/api/v1/trash/{folder}/restore")
        await visitor.json("/items")
        assert (await drive.shown(link))["isActive"]


async def test_a_link_ends_with_what_it_leads_to(drive: SharedDrive) -> None:
    file_id = await drive.upload("notes.txt")
    link = await drive.link(file_id)
    visitor = await drive.opened(link)

    await drive.owner.json_of("DELETE", f"/api/v1/files/{file_id}", 204)
    await drive.owner.json_of("DELETE", f"/api/v1/trash/{file_id}", 204)

    assert await visitor.problem("", 404) == "not-found"
    assert await visitor.problem("/items", 404) == "not-found"
    assert [] == (await drive.owner.json_of("GET", LINKS))["items"]


async def test_the_links_of_a_suspended_owner_are_dead_until_that_ends(drive: SharedDrive) -> None:
    file_id = await drive.upload("notes.txt")
    link = await drive.link(file_id, "DOWNLOAD")
    visitor = await drive.opened(link)

    await drive.set_status(Status.SUSPENDED)
    assert await visitor.problem("", 404) == "not-found"
    assert await visitor.problem(f"/items/{file_id}/download", 404) == "not-found"
    assert await visitor.client.problem_of("POST", public(link, "/access"), 404, json={}) == "not-found"
    await drive.set_status(Status.ACTIVE)

    await visitor.json("/items")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 401, "password-required"),
        ({"password": None}, 401, "password-required"),
        ({"password": ""}, 401, "password-required"),
        ({"password": "wrong"}, 401, "wrong-password"),
        ({"password": "S3CRET"}, 401, "wrong-password"),
        ({"password": "x" * 2**20}, 422, "validation-failed"),
        ({"password": "x" * 3 * 2**20}, 413, "body-too-large"),
        ({"password": 5}, 422, "validation-failed"),
        ({"password": "s3cret\0"}, 422, "validation-failed"),
    ],
)
async def test_only_the_right_password_opens_a_link(
    drive: SharedDrive, body: dict[str, object], status: int, code: str
) -> None:
    link = await drive.link(await drive.upload("notes.txt"), password="s3cret")
    visitor = drive.visitor(link)

    assert code == await visitor.client.problem_of("POST", public(link, "/access"), status, json=body)

    assert 0 == (await drive.shown(link))["accessCount"]
    assert not visitor.client.cookies
    await visitor.open("s3cret")


async def test_guesses_stop_an_address_but_not_visitors_with_a_grant(drive: SharedDrive) -> None:
    link = await drive.link(await drive.upload("notes.txt"), password="s3cret")
    visitor, guesser = await drive.opened(link, "s3cret"), drive.visitor(link)

    guesses = [await guesser.client.post(public(link, "/access"), json={"password": str(n)}) for n in range(16)]

    assert [401] * 15 + [429] == [guess.status_code for guess in guesses]
    assert int(guesses[-1].headers["retry-after"]) > 0
    await visitor.open()
    await visitor.json("/items")
