"""Accounts created without HTTP."""

import asyncio

import pytest

from metastore.features.auth.accounts.provisioning import create_user, ensure_first_admin
from metastore.kit.problems.problem import Problem
from tests.features.auth.auth_app import PASSWORD, AuthApp
from tests.features.auth.sessions.test_sign_in import sign_in


async def test_the_first_start_creates_an_admin_and_returns_the_password_once(app: AuthApp) -> None:
    """The generated password works; a second start creates and returns nothing."""
    password = await ensure_first_admin(app.accounts, app.database, "admin")
    assert password is not None
    assert len(password) >= 20
    user = (await sign_in(app.browser(), "admin", password)).json()["user"]
    assert (user["username"], user["role"]) == ("admin", "ADMIN")
    assert await ensure_first_admin(app.accounts, app.database, "admin") is None


async def test_a_given_admin_password_is_used_and_not_returned(app: AuthApp) -> None:
    """The operator knows it already."""
    assert await ensure_first_admin(app.accounts, app.database, "boss", PASSWORD) is None
    assert (await app.user("boss")).role == "ADMIN"
    await app.signed_in("boss")


async def test_no_admin_is_created_if_there_is_an_account(app: AuthApp) -> None:
    """Any existing account prevents it."""
    await app.register("mai")
    assert await ensure_first_admin(app.accounts, app.database, "admin") is None
    assert await ensure_first_admin(app.accounts, app.database, "admin", PASSWORD) is None
    assert len(await app.events("user.registered")) == 1


async def test_exactly_one_of_several_concurrent_starts_creates_the_admin(app: AuthApp) -> None:
    """Only that one returns a password."""
    passwords = await asyncio.gather(*(ensure_first_admin(app.accounts, app.database, "admin") for _ in range(5)))
    assert len([password for password in passwords if password]) == 1
    assert [e.payload["by"] for e in await app.events("user.registered")] == ["setup"]


async def test_an_invalid_admin_name_is_reported_in_one_line(app: AuthApp) -> None:
    """The message is for the operator who set it."""
    with pytest.raises(ValueError, match=r"^username: .*3"):
        await ensure_first_admin(app.accounts, app.database, "x", PASSWORD)
    with pytest.raises(ValueError, match=r"^password: "):
        await ensure_first_admin(app.accounts, app.database, "admin", "short")


async def test_accounts_can_be_created_from_the_command_line(app: AuthApp) -> None:
    """Users and admins can be created even if registration is closed; taken names are rejected."""
    user = await create_user(
        app.accounts, app.database, username="lan", email="lan@example.org", password=PASSWORD, admin=True
    )
    assert user.role == "ADMIN"
    await app.signed_in("lan")
    with pytest.raises(Problem, match="username-taken"):
        await create_user(app.accounts, app.database, username="lan", email="x@example.org", password=PASSWORD)
