"""Making an account."""

import asyncio
import json

import pytest

from metastore.features.auth.throttle import AuthLimits
from metastore.kit.database import Database
from metastore.ports.rate_limiter import Limit
from tests.features.auth.house import API, PASSWORD, House, code_of

VALID = {"username": "mai", "email": "mai@example.org", "password": PASSWORD}


async def test_a_new_account_is_shown_with_the_free_plan_and_no_secret(app: House) -> None:
    """The answer has the whole user of the contract, and neither the password nor its hash."""
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


async def test_registering_does_not_sign_in(app: House) -> None:
    """No cookie is set: signing in is the next call."""
    browser = app.browser()
    response = await browser.post(f"{API}/register", json=VALID)
    assert "set-cookie" not in response.headers
    assert code_of(await browser.get(f"{API}/me")) == (401, "not-authenticated")


async def test_a_new_account_is_a_fact(app: House) -> None:
    """``user.registered`` is recorded with the account, as the new user's own doing."""
    user = await app.register()
    (event,) = await app.events()
    assert (event.type, event.aggregate) == ("user.registered", f"user:{user['id']}")
    assert event.headers["actorId"] == user["id"]
    assert event.headers["address"] == "192.0.2.1"
    assert PASSWORD not in str(event)


@pytest.mark.parametrize("name", ["MAI", "\uff4d\uff41\uff49"])
async def test_a_name_that_differs_only_in_case_or_width_is_taken(app: House, name: str) -> None:
    """Names are compared comparison_key."""
    await app.register("mai")
    taken = {**VALID, "username": name, "email": "other@example.org"}
    assert code_of(await app.browser().post(f"{API}/register", json=taken)) == (409, "username-taken")


async def test_an_address_that_differs_only_in_case_is_taken(app: House) -> None:
    """E-mail addresses are compared comparison_key."""
    await app.register("mai")
    taken = {**VALID, "username": "other", "email": "Mai@Example.ORG"}
    assert code_of(await app.browser().post(f"{API}/register", json=taken)) == (409, "email-taken")


async def test_of_many_who_register_one_name_at_once_one_gets_it(app: House) -> None:
    """The others are told that it is taken, and leave nothing behind."""
    bodies = [{**VALID, "email": f"mai{n}@example.org"} for n in range(6)]
    answers = await asyncio.gather(*(app.browser().post(f"{API}/register", json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert len(await app.events("user.registered")) == 1


async def test_what_does_not_fit_is_refused_by_field(app: House) -> None:
    """422 names each field; nothing is made and no password is hashed."""
    body = {"username": "a b", "email": "nowhere", "password": "short", "displayName": ""}
    response = await app.browser().post(f"{API}/register", json=body)
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == list(body)
    assert app.hasher.hashed == 0
    assert await app.events() == []


async def test_text_that_no_database_keeps_is_refused(app: House) -> None:
    """A lone surrogate in JSON is 422, not a fault."""
    content = json.dumps({**VALID, "password": "lone \ud800 surrogate"})
    headers = {"Content-Type": "application/json"}
    assert (await app.browser().post(f"{API}/register", content=content, headers=headers)).status_code == 422


async def test_names_may_be_written_in_any_script(app: House) -> None:
    """The account can be found again by that name."""
    await app.register("Nguyễn.Văn_A-1")
    await app.signed_in("nguyễn.văn_a-1")


async def test_registration_can_be_closed(database: Database) -> None:
    """403 ``registration-closed``, and no work is done."""
    app = House(database, registration_open=False)
    response = await app.browser().post(f"{API}/register", json=VALID)
    assert code_of(response) == (403, "registration-closed")
    assert app.hasher.hashed == 0
    await app.aclose()


async def test_an_address_can_make_so_many_accounts_and_no_more(database: Database) -> None:
    """429 with ``Retry-After``; another address is not affected."""
    app = House(database, limits=AuthLimits(register_per_address=Limit("register-address", 2, 3600)))
    for name in ("one", "two"):
        await app.register(name)
    refused = await app.browser().post(f"{API}/register", json=VALID)
    elsewhere = await app.browser(address="192.0.2.99").post(f"{API}/register", json=VALID)
    assert code_of(refused) == (429, "too-many-attempts")
    assert int(refused.headers["retry-after"]) > 3500
    assert elsewhere.status_code == 201
    await app.aclose()


async def test_a_repeated_registration_with_a_key_makes_one_account_and_gets_the_same_answer(app: House) -> None:
    """``Idempotency-Key`` works without being signed in."""
    key = {"Idempotency-Key": "registration-1"}
    first = await app.browser().post(f"{API}/register", json=VALID, headers=key)
    again = await app.browser().post(f"{API}/register", json=VALID, headers=key)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert len(await app.events("user.registered")) == 1
