"""Registration."""

import asyncio
import json

import pytest

from metastore.features.auth.credentials.throttling import AuthLimits
from metastore.kit.database.unit_of_work import Database
from metastore.ports.rate_limiter import Limit
from tests.features.auth.auth_app import API, PASSWORD, AuthApp, code_of

VALID = {"username": "mai", "email": "mai@example.org", "password": PASSWORD}


async def test_a_new_account_has_the_free_plan_and_exposes_no_secret(app: AuthApp) -> None:
    """The response has every field of the user, but neither the password nor its hash."""
    response = await app.browser().post(f"{API}/register", json={**VALID, "displayName": " Mai Nguyễn "})
    user = response.json()["user"]
    assert response.status_code == 201
    assert user.pop("id")
    assert user == {
        "username": "mai",
        "email": "mai@example.org",
        "displayName": "Mai Nguyễn",
        "role": "USER",
        "status": "ACTIVE",
        "plan": "FREE",
        "storageUsed": 0,
        "storageReserved": 0,
        "storageQuota": 1000,
    }


async def test_registering_does_not_sign_in(app: AuthApp) -> None:
    """No cookie is set."""
    browser = app.browser()
    response = await browser.post(f"{API}/register", json=VALID)
    assert "set-cookie" not in response.headers
    assert code_of(await browser.get(f"{API}/me")) == (401, "not-authenticated")


async def test_registering_records_an_event(app: AuthApp) -> None:
    """``user.registered`` is recorded with the new user as the actor."""
    user = await app.register()
    (event,) = await app.events()
    assert (event.type, event.aggregate) == ("user.registered", f"user:{user['id']}")
    assert event.headers["actorId"] == user["id"]
    assert event.headers["address"] == "192.0.2.1"
    assert PASSWORD not in str(event)


@pytest.mark.parametrize("name", ["MAI", "\uff4d\uff41\uff49"])
async def test_a_name_that_differs_only_in_case_or_width_is_taken(app: AuthApp, name: str) -> None:
    """Usernames are compared by their case-folded NFKC form."""
    await app.register("mai")
    taken = {**VALID, "username": name, "email": "other@example.org"}
    assert code_of(await app.browser().post(f"{API}/register", json=taken)) == (409, "username-taken")


async def test_an_address_that_differs_only_in_case_is_taken(app: AuthApp) -> None:
    """E-mail addresses are compared in the same way."""
    await app.register("mai")
    taken = {**VALID, "username": "other", "email": "Mai@Example.ORG"}
    assert code_of(await app.browser().post(f"{API}/register", json=taken)) == (409, "email-taken")


async def test_exactly_one_of_several_concurrent_registrations_gets_the_name(app: AuthApp) -> None:
    """The others get 409 and leave nothing behind."""
    bodies = [{**VALID, "email": f"mai{n}@example.org"} for n in range(6)]
    responses = await asyncio.gather(*(app.browser().post(f"{API}/register", json=body) for body in bodies))
    assert sorted(response.status_code for response in responses) == [201] + [409] * 5
    assert len(await app.events("user.registered")) == 1


async def test_invalid_fields_are_named(app: AuthApp) -> None:
    """The 422 response names each field; no account is created and no password is hashed."""
    body = {"username": "a b", "email": "nowhere", "password": "short", "displayName": ""}
    response = await app.browser().post(f"{API}/register", json=body)
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == list(body)
    assert app.hasher.hashed == 0
    assert await app.events() == []


async def test_text_that_cannot_be_stored_is_rejected(app: AuthApp) -> None:
    """A lone surrogate in JSON is 422, not a server error."""
    content = json.dumps({**VALID, "password": "lone \ud800 surrogate"})
    headers = {"Content-Type": "application/json"}
    assert (await app.browser().post(f"{API}/register", content=content, headers=headers)).status_code == 422


async def test_names_may_be_written_in_any_script(app: AuthApp) -> None:
    """Such an account is found by its name."""
    await app.register("Nguyễn.Văn_A-1")
    await app.signed_in("nguyễn.văn_a-1")


async def test_registration_can_be_closed(database: Database) -> None:
    """The response is 403 ``registration-closed``, and no password is hashed."""
    app = AuthApp(database, registration_open=False)
    response = await app.browser().post(f"{API}/register", json=VALID)
    assert code_of(response) == (403, "registration-closed")
    assert app.hasher.hashed == 0
    await app.aclose()


async def test_registrations_per_address_are_limited(database: Database) -> None:
    """The response is 429 with ``Retry-After``; other addresses are not affected."""
    app = AuthApp(database, limits=AuthLimits(register_per_address=Limit("register-address", 2, 3600)))
    for name in ("one", "two"):
        await app.register(name)
    refused = await app.browser().post(f"{API}/register", json=VALID)
    elsewhere = await app.browser(address="192.0.2.99").post(f"{API}/register", json=VALID)
    assert code_of(refused) == (429, "too-many-attempts")
    assert int(refused.headers["retry-after"]) > 3500
    assert elsewhere.status_code == 201
    await app.aclose()


async def test_a_registration_repeated_with_its_idempotency_key_is_replayed(app: AuthApp) -> None:
    """``Idempotency-Key`` works without a session."""
    key = {"Idempotency-Key": "registration-1"}
    first = await app.browser().post(f"{API}/register", json=VALID, headers=key)
    again = await app.browser().post(f"{API}/register", json=VALID, headers=key)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert len(await app.events("user.registered")) == 1
