"""Accounts created without HTTP: the first admin at startup, and users from the command line."""

import secrets

from pydantic import ValidationError

from metastore.features.auth.accounts.service import AccountsService
from metastore.features.auth.identity.roles import Role
from metastore.features.auth.schemas import Registration, UserOut
from metastore.kit.database.unit_of_work import Database
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode

_TAKEN = (ProblemCode.USERNAME_TAKEN, ProblemCode.EMAIL_TAKEN)


async def ensure_first_admin(
    accounts: AccountsService, database: Database, username: str, password: str = "", *, email: str = ""
) -> str | None:
    """Create the first admin if there is no account yet.

    Return the generated password, to be shown once; ``None`` if a password was given or no admin was created. Exactly
    one of several processes that start at the same time creates the admin.

    Raises:
        ValueError: the name or password is invalid; the message is one line.
    """
    async with database.reading() as tx:
        if not await accounts.no_users_yet(tx):
            return None
    generated = "" if password else secrets.token_urlsafe(15)
    # A placeholder in a domain that never resolves (RFC 6761).
    registration = _registration(username, email or "admin@metastore.invalid", password or generated)
    password_hash = await accounts.hash_password(registration.password)
    try:
        async with database.transaction() as tx:
            if not await accounts.no_users_yet(tx):
                return None
            await accounts.register(tx, registration, password_hash, role=Role.ADMIN, by="setup")
    except Problem as problem:
        if problem.code in _TAKEN:
            return None
        raise
    return generated or None


async def create_user(
    accounts: AccountsService, database: Database, *, username: str, email: str, password: str, admin: bool = False
) -> UserOut:
    """Create an account, even if registration is closed.

    Raises:
        ValueError: the name, address or password is invalid; the message is one line.
        Problem: 409 ``username-taken`` or ``email-taken``.
    """
    registration = _registration(username, email, password)
    password_hash = await accounts.hash_password(registration.password)
    async with database.transaction() as tx:
        role = Role.ADMIN if admin else Role.USER
        return await accounts.register(tx, registration, password_hash, role=role, by="command")


def _registration(username: str, email: str, password: str) -> Registration:
    try:
        return Registration(username=username, email=email, password=password)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{first['loc'][0]}: {first['msg'].removeprefix('Value error, ')}") from None
