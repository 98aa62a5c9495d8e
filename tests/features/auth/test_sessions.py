"""The list of devices."""

from datetime import timedelta

from metastore.kit.ids import new_id
from metastore.kit.paging import encode_cursor
from tests.features.auth.house import API, PASSWORD, House, code_of


async def test_the_list_shows_every_device_and_which_is_this_one(app: House) -> None:
    """Latest first, with what each calls itself and where it signed in."""
    await app.register("mai")
    phone = app.browser(address="203.0.113.9", user_agent="Phone/2")
    await phone.post(f"{API}/login", json={"username": "mai", "password": PASSWORD})
    browser = await app.signed_in("mai")
    page = (await browser.get(f"{API}/sessions")).json()
    assert page["nextCursor"] is None
    assert [(s["userAgent"], s["address"], s["current"]) for s in page["items"]] == [
        ("Browser/1.0", "192.0.2.1", True),
        ("Phone/2", "203.0.113.9", False),
    ]
    assert set(page["items"][0]) == {
        "id",
        "userAgent",
        "address",
        "createdAt",
        "refreshedAt",
        "expiresAt",
        "current",
    }
    assert page["items"][0]["createdAt"] == "2026-03-04T05:06:07.800Z"


async def test_the_list_goes_on_by_cursor(app: House) -> None:
    """No session is shown twice or left out."""
    await app.register("mai")
    browsers = [await app.signed_in("mai") for _ in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await browsers[0].get(f"{API}/sessions", params=query)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert seen == [session.id for session in reversed(await app.session_rows())]


async def test_a_made_up_cursor_is_refused(app: House) -> None:
    """422 ``invalid-cursor``; so are limits out of bounds."""
    browser = await app.newcomer("mai")
    for cursor in ("nonsense", encode_cursor(["\0"]), encode_cursor([7]), encode_cursor([None]), "W10", "_w"):
        assert code_of(await browser.get(f"{API}/sessions?cursor={cursor}")) == (422, "invalid-cursor")
    for limit in ("0", "201", "x"):
        assert (await browser.get(f"{API}/sessions?limit={limit}")).status_code == 422


async def test_sessions_that_are_over_are_not_listed(app: House) -> None:
    """Neither signed out nor expired ones."""
    gone = await app.newcomer("mai")
    await gone.post(f"{API}/logout")
    await app.signed_in("mai")
    app.clock.forward(8 * 24 * 3600)
    browser = await app.signed_in("mai")
    items = (await browser.get(f"{API}/sessions")).json()["items"]
    assert [item["current"] for item in items] == [True]


async def test_a_device_can_be_signed_out_from_another(app: House) -> None:
    """204, at once, and it is a fact."""
    lost = await app.newcomer("mai")
    browser = await app.signed_in("mai")
    lost_id = (await app.session_rows())[0].id
    assert (await browser.delete(f"{API}/sessions/{lost_id}")).status_code == 204
    assert code_of(await lost.get(f"{API}/me")) == (401, "not-authenticated")
    assert (await browser.get(f"{API}/me")).status_code == 200
    (event,) = await app.events("session.revoked")
    assert (event.payload["sessionId"], event.payload["reason"]) == (lost_id, "revoked")


async def test_signing_this_device_out_from_the_list_clears_its_cookies(app: House) -> None:
    """As signing out does."""
    browser = await app.newcomer("mai")
    (session,) = await app.session_rows()
    assert (await browser.delete(f"{API}/sessions/{session.id}")).status_code == 204
    assert dict(browser.cookies) == {}


async def test_a_session_of_somebody_else_does_not_exist(app: House) -> None:
    """404, like one that never was, or that has ended."""
    mai = await app.newcomer("mai")
    lan = await app.newcomer("lan")
    hers = (await app.session_rows())[0].id
    for session_id in (hers, new_id(), "x", "%00"):
        assert code_of(await lan.delete(f"{API}/sessions/{session_id}")) == (404, "not-found")
    assert (await mai.get(f"{API}/me")).status_code == 200


async def test_old_sessions_are_forgotten_a_day_after_their_time(app: House) -> None:
    """Their rows are deleted; open ones stay."""
    await app.newcomer("mai")
    app.clock.now += timedelta(days=7, hours=23)
    async with app.database.transaction() as tx:
        await app.auth.forget_expired_sessions(tx)
    assert len(await app.session_rows()) == 1
    app.clock.now += timedelta(hours=2)
    await app.signed_in("mai")
    async with app.database.transaction() as tx:
        await app.auth.forget_expired_sessions(tx)
    assert len(await app.session_rows()) == 1
