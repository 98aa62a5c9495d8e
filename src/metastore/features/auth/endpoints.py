"""HTTP endpoints of accounts and sessions: ``/api/v1/auth``.

Signing in, refreshing and signing out accept no ``Idempotency-Key``: they set cookies, which are never stored.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from metastore.features.auth.access import Auth, Cookies, CurrentAccount, CurrentUser, Public
from metastore.features.auth.accounts.service import AccountsService
from metastore.features.auth.schemas import Credentials, ProfileChange, Registration, SessionOut, UserResponse
from metastore.kit.api.dependencies import Transactions, provided
from metastore.kit.api.paging import Limit, Page
from metastore.kit.api.router import PrefixRouter
from metastore.kit.idempotency.route import IdempotentRoute, store_response
from metastore.kit.problems.problem import Problem

router = PrefixRouter(prefix="/api/v1/auth", tags=["auth"])
_idempotent = APIRouter(route_class=IdempotentRoute)

Accounts = Annotated[AccountsService, provided(AccountsService)]


@_idempotent.post("/register", status_code=201)
async def register(_caller: Public, body: Registration, accounts: Accounts, database: Transactions) -> UserResponse:
    """Create an account. This does not sign in."""
    password_hash = await accounts.hash_for_registration(body)
    async with database.transaction() as tx:
        created = UserResponse(user=await accounts.register(tx, body, password_hash))
        return await store_response(tx, created, status=201)


@router.post("/login")
async def login(
    _caller: Public, body: Credentials, response: Response, auth: Auth, cookies: Cookies, database: Transactions
) -> UserResponse:
    """Sign in by username or e-mail address; the response sets both cookies.

    It accepts no idempotency key, because responses are stored without cookies.
    """
    async with database.reading() as tx:
        user = await auth.find(tx, body.username)
    attempt = await auth.verify_password(user, body)
    async with database.transaction() as tx:
        outcome = await auth.sign_in(tx, attempt)
    if isinstance(outcome, Problem):
        raise outcome
    await auth.refund(attempt)
    cookies.put(response, outcome.tokens)
    return UserResponse(user=outcome.user)


@router.post("/refresh")
async def refresh(
    _caller: Public, request: Request, response: Response, auth: Auth, cookies: Cookies, database: Transactions
) -> UserResponse:
    """Exchange the refresh token for new tokens; the response sets both cookies.

    It accepts no idempotency key: the same token returns the same successor for ten seconds.
    """
    claims = auth.read_refresh_token(cookies.refresh_token(request.cookies))
    async with database.transaction() as tx:
        outcome = await auth.refresh(tx, claims)
    if isinstance(outcome, Problem):
        raise outcome
    cookies.put(response, outcome.tokens)
    return UserResponse(user=outcome.user)


@router.post("/logout", status_code=204)
async def logout(
    _caller: Public, request: Request, response: Response, auth: Auth, cookies: Cookies, database: Transactions
) -> None:
    """Sign out: revoke the session at once and clear the cookies. Missing or expired cookies are no error."""
    access_token, refresh_token = cookies.access_token(request.cookies), cookies.refresh_token(request.cookies)
    sessions = auth.sessions_of(access_token, refresh_token)
    if sessions:
        async with database.transaction() as tx:
            for user_id, session_id in sessions:
                await auth.sign_out(tx, user_id, session_id)
    cookies.clear(response)


@router.get("/me")
async def me(user: CurrentAccount) -> UserResponse:
    """Return the signed-in user."""
    return UserResponse(user=user)


@router.patch("/me")
async def change_me(
    caller: CurrentUser, body: ProfileChange, accounts: Accounts, database: Transactions
) -> UserResponse:
    """Change one's display name or password; a new password revokes all other sessions."""
    async with database.reading() as tx:
        password_hash = await accounts.password_hash_of(tx, caller)
    change = await accounts.prepare_change(caller, password_hash, body)
    async with database.transaction() as tx:
        return UserResponse(user=await accounts.change_profile(tx, caller, change))


@router.get("/sessions")
async def sessions(
    caller: CurrentUser,
    auth: Auth,
    database: Transactions,
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> Page[SessionOut]:
    """List the devices on which the user is signed in, latest first."""
    async with database.reading() as tx:
        return await auth.sessions(tx, caller, limit, cursor)


@router.delete("/sessions/{session_id}", status_code=204)
async def revoke_session(
    session_id: str, caller: CurrentUser, response: Response, auth: Auth, cookies: Cookies, database: Transactions
) -> None:
    """Sign out one device, which may be the current one."""
    async with database.transaction() as tx:
        await auth.revoke_session(tx, caller, session_id)
    if session_id == caller.session_id:
        cookies.clear(response)


router.include_router(_idempotent)
