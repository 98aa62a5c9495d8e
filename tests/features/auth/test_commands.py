"""Accounts made without HTTP."""

import asyncio

import pytest

from metastore.features.auth.commands import create_user, ensure_first_admin
from metastore.kit.problem import Problem
from tests.features.auth.house import PASSWORD, House
from tests.features.auth.test_signing_in import attempt


async def test_the_first_start_makes_an_admin_and_tells_the_password_once(app: House) -> None:
    """The password that was made signs in; a second start makes and tells nothing."""
    made = await ensure_first_admin(app.accounts, app.database, "admin")
    assert made is not None
    assert len(made) >= 20
    user = (await attempt(app.browser(), "admin", made)).json()["user"]
    assert (user["username"], user["role"]) == ("admin", "ADMIN")
    assert await ensure_first_admin(app.accounts, app.database, "admin") is None


async def test_a_given_admin_password_is_used_and_not_told(app: House) -> None:
    """The operator knows it."""
    assert await ensure_first_admin(app.accounts, app.database, "boss", PASSWORD) is None
    assert (await app.user("boss")).role == "ADMIN"
    await app.signed_in("boss")


async def test_no_admin_is_made_where_there_is_an_account(app: House) -> None:
    """Whoever was first stays first."""
    await app.register("mai")
    assert await ensure_first_admin(app.accounts, app.database, "admin") is None
    assert await ensure_first_admin(app.accounts, app.database, "admin", PASSWORD) is None
    assert len(await app.events("user.registered")) == 1


async def test_of_several_starts_at_once_one_makes_the_admin(app: House) -> None:
    """And only that one tells a password."""
    made = await asyncio.gather(*(ensure_first_admin(app.accounts, app.database, "admin") for _ in range(5)))
    assert len([password for password in made if password]) == 1
    assert [e.payload["by"] for e in await app.events("user.registered")] == ["setup"]


async def test_an_admin_name_that_cannot_be_is_told_in_one_line(app: House) -> None:
    """For the operator who set it."""
    with pytest.raises(ValueError, match=r"^username: .*3"):
        await ensure_first_admin(app.accounts, app.database, "x", PASSWORD)
    with pytest.raises(ValueError, match=r"^password: "):
        await ensure_first_admin(app.accounts, app.database, "admin", "short")


async def test_accounts_can_be_made_from_the_command_line(app: House) -> None:
    """Users and admins, even when registration is closed; names taken are refused."""
    made = await create_user(
        app.accounts, app.database, username="lan", email="lan@example.org", password=PASSWORD, admin=True
    )
    assert made.role == "ADMIN"
    await app.signed_in("lan")
    with pytest.raises(Problem, match="username-taken"):
        await create_user(app.accounts, app.database, username="lan", email="x@example.org", password=PASSWORD)
