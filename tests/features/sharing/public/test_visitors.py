"""The grants of visitors in requests and responses, on both databases."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from metastore.config import load_secret_key
from metastore.embedded_store import derived_key
from metastore.entrypoints.http import create_app, routers_of
from metastore.entrypoints.route_callers import routes_of
from metastore.features.auth.access import RouteCaller
from metastore.features.sharing.public.visitor_grants import VisitorGrants
from metastore.kit.clock import Clock, utc_now
from metastore.kit.ids import new_id
from tests.features.sharing.shared_drive import BELOW, LINKS, SharedDrive, public


def grants_of(drive: SharedDrive, clock: Clock) -> VisitorGrants:
    """Return what issues grants as the product does, at another time."""
    return VisitorGrants(derived_key(load_secret_key(drive.running.product.settings), "visitors"), clock)


def test_these_are_all_routes_below_a_link(drive: SharedDrive) -> None:
    """Add a new one to ``BELOW``, so that every test of this page asks for it."""
    product = drive.running.product
    app = create_app(product.services, routers_of(product.features))
    prefix = f"{LINKS}/token/{{token}}"

    declared = {route.path for route in routes_of(app) if route.caller is RouteCaller.VISITOR}

    assert declared == {f"{prefix}{path.replace('{id}', '{item_id}')}" for path in BELOW}


async def test_a_grant_is_taken_as_a_bearer_token_too(drive: SharedDrive) -> None:
    """For clients without cookies."""
    file_id = await drive.upload("notes.txt")
    link = await drive.link(file_id, "DOWNLOAD")
    grant = (await drive.visitor(link).open())["grant"]
    other = drive.visitor(link)

    bearer = {"Authorization": f"Bearer {grant}"}

    assert 401 == (await other.client.get(public(link, "/items"))).status_code
    assert 200 == (await other.client.get(public(link, "/items"), headers=bearer)).status_code


async def test_nothing_below_a_link_is_shown_without_a_grant(drive: SharedDrive) -> None:
    """Nor with one that is no grant at all."""
    file_id = await drive.upload("notes.txt")
    visitor = drive.visitor(await drive.link(file_id, "DOWNLOAD"))

    for headers in ({}, {"Authorization": "Bearer x"}, {"Cookie": "share_grant=x"}):
        for path in BELOW:
            assert await visitor.problem(path.format(id=file_id), 401, headers=headers) == "link-access-required"


async def test_a_grant_opens_one_link_in_one_version(drive: SharedDrive) -> None:
    """Not another link to the same file, not after a change, and not when it has expired or was tampered with."""
    file_id = await drive.upload("notes.txt")
    link, other = await drive.link(file_id, "DOWNLOAD"), await drive.link(file_id, "DOWNLOAD", password="s3cret")
    grant = (await drive.visitor(link).open())["grant"]
    flipped = grant[:40] + ("A" if grant[40] != "A" else "B") + grant[41:]
    old = grants_of(drive, lambda: utc_now() - timedelta(minutes=15)).issue(link["id"], 1, new_id()).token
    next_version = grants_of(drive, utc_now).issue(link["id"], 2, new_id()).token
    stranger = drive.visitor(link)

    for shared, token in ((other, grant), (link, flipped), (link, old), (link, next_version), (link, grant + "A")):
        headers = {"Authorization": f"Bearer {token}"}
        for path in BELOW:
            url = public(shared, path.format(id=file_id))
            assert await stranger.client.problem_of("GET", url, 401, headers=headers) == "link-access-required"
    await drive.change(link, permission="VIEW")
    headers = {"Authorization": f"Bearer {grant}"}
    assert await stranger.problem(f"/items/{file_id}/download", 401, headers=headers) == "link-access-required"


async def test_the_cookie_of_a_grant_is_kept_to_its_link(drive: SharedDrive) -> None:
    link = await drive.link(await drive.upload("notes.txt"))

    response = await drive.visitor(link).client.post(public(link, "/access"))

    cookie = response.headers["set-cookie"]
    assert cookie.startswith("share_grant=")
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", f"path={public(link).lower()}", "max-age=900"} <= attributes


@pytest.mark.parametrize("path", ["", "/items", "/items/x", "/items/{id}", "/items/{id}/download"])
async def test_responses_to_visitors_are_not_stored_and_give_no_url_away(drive: SharedDrive, path: str) -> None:
    """Neither successes nor problems."""
    file_id = await drive.upload("notes.txt")
    visitor = await drive.opened(await drive.link(file_id, "DOWNLOAD"))

    for client in (visitor.client, drive.visitor(visitor.link).client):
        response = await client.get(public(visitor.link, path.format(id=file_id)))
        headers = (response.headers["referrer-policy"], response.headers["cache-control"])
        assert ("no-referrer", "no-store") == headers


async def test_a_grant_is_renewed_by_use(drive: SharedDrive) -> None:
    """After five minutes, for the same visitor; then the link is not counted again for another fifteen."""
    link = await drive.link(await drive.upload("notes.txt"))
    visitor_id = new_id()
    issued = [grants_of(drive, _ago(minutes=age)).issue(link["id"], 1, visitor_id) for age in (4, 6)]

    cookies = []
    for grant in issued:
        headers = {"Authorization": f"Bearer {grant.token}"}
        response = await drive.visitor(link).client.get(public(link, "/items"), headers=headers)
        cookies.append(response.cookies.get("share_grant"))

    assert cookies[0] is None
    renewed = grants_of(drive, utc_now).verify(cookies[1])
    assert renewed is not None
    assert (link["id"], 1, visitor_id) == (renewed.link_id, renewed.version, renewed.visitor_id)
    assert renewed.expires_at > datetime.now(UTC) + timedelta(minutes=14)


async def test_two_visitors_with_the_same_idempotency_key_do_not_meet(drive: SharedDrive) -> None:
    """Although both are anonymous and behind one address."""
    link = await drive.link(await drive.upload("notes.txt"), password="s3cret")
    key = {"Idempotency-Key": "same"}
    await drive.visitor(link).client.post(public(link, "/access"), json={"password": "s3cret"}, headers=key)

    second = await drive.visitor(link).client.post(public(link, "/access"), json={}, headers=key)

    assert 401 == second.status_code
    assert "idempotency-replayed" not in second.headers


def _ago(*, minutes: int) -> Callable[[], datetime]:
    return lambda: utc_now() - timedelta(minutes=minutes)
