"""HTTP of accounts and sessions: ``/api/v1/auth``.

Signing in, refreshing and signing out take no ``Idempotency-Key``: their answers are cookies, which are not stored.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from metastore.features.auth.access import Auth, Cookies, CurrentCaller
from metastore.features.auth.accounts import AccountsService
from metastore.features.auth.schemas import Credentials, ProfileChange, Registration, SessionOut, UserAnswer
from metastore.kit.http import Transactions, provided
from metastore.kit.idempotency import IdempotentRoute, keep_answer
from metastore.kit.paging import Limit, Page
from metastore.kit.problem import Problem

router = APIRouter(prefix="/api/v1/auth", tags=["auth"])
_repeatable = APIRouter(route_class=IdempotentRoute)

Accounts = Annotated[AccountsService, provided(AccountsService)]


@_repeatable.post("/register", status_code=201)
async def register(body: Registration, accounts: Accounts, database: Transactions) -> UserAnswer:
    """Make an account. It is not signed in: that is the next call."""
    password_hash = await accounts.hash_for_registration(body)
    async with database.transaction() as tx:
        answer = UserAnswer(user=await accounts.register(tx, body, password_hash))
        return await keep_answer(tx, answer, status=201)


@router.post("/login")
async def login(
    body: Credentials, response: Response, auth: Auth, cookies: Cookies, database: Transactions
) -> UserAnswer:
    """Sign in by name or e-mail address; the answer sets both cookies.

    It takes no idempotency key: what counts of its answer are the cookies, and these are not kept.
    """
    async with database.reading() as tx:
        user = await auth.find(tx, body.username)
    attempt = await auth.try_password(user, body)
    async with database.transaction() as tx:
        outcome = await auth.sign_in(tx, attempt)
    if isinstance(outcome, Problem):
        raise outcome
    await auth.forgive(attempt)
    cookies.put(response, outcome.tokens)
    return UserAnswer(user=outcome.user)


@router.post("/refresh")
async def refresh(
    request: Request, response: Response, auth: Auth, cookies: Cookies, database: Transactions
) -> UserAnswer:
    """Exchange the refresh token for new tokens; both cookies are set anew.

    It takes no idempotency key: the token is one, and within ten seconds it gets the same successor again.
    """
    claims = auth.read_refresh_token(cookies.refresh_token(request.cookies))
    async with database.transaction() as tx:
        outcome = await auth.refresh(tx, claims)
    if isinstance(outcome, Problem):
        raise outcome
    cookies.put(response, outcome.tokens)
    return UserAnswer(user=outcome.user)


@router.post("/logout", status_code=204)
async def logout(request: Request, response: Response, auth: Auth, cookies: Cookies, database: Transactions) -> None:
    """Sign out: the session ends everywhere at once and the cookies are cleared. Fine without or with stale cookies."""
    sent = request.cookies
    named = auth.sessions_of(cookies.access_token(sent), cookies.refresh_token(sent))
    if named:
        async with database.transaction() as tx:
            for user_id, session_id in named:
                await auth.sign_out(tx, user_id, session_id)
    cookies.clear(response)


@router.get("/me")
async def me(caller: CurrentCaller, accounts: Accounts, database: Transactions) -> UserAnswer:
    """The signed-in user."""
    async with database.reading() as tx:
        return UserAnswer(user=await accounts.me(tx, caller))


@router.patch("/me")
async def change_me(
    caller: CurrentCaller, body: ProfileChange, accounts: Accounts, database: Transactions
) -> UserAnswer:
    """Change one's display name or password; a new password ends all other sessions."""
    async with database.reading() as tx:
        password_hash = await accounts.password_hash_of(tx, caller)
    change = await accounts.prepare_change(caller, password_hash, body)
    async with database.transaction() as tx:
        return UserAnswer(user=await accounts.change_profile(tx, caller, change))


@router.get("/sessions")
async def sessions(
    caller: CurrentCaller,
    auth: Auth,
    database: Transactions,
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> Page[SessionOut]:
    """The devices that the user is signed in on, latest first."""
    async with database.reading() as tx:
        return await auth.sessions(tx, caller, limit, cursor)


@router.delete("/sessions/{session_id}", status_code=204)
async def revoke_session(
    session_id: str, caller: CurrentCaller, response: Response, auth: Auth, cookies: Cookies, database: Transactions
) -> None:
    """Sign one device out; this one, too."""
    async with database.transaction() as tx:
        await auth.revoke_session(tx, caller, session_id)
    if session_id == caller.session_id:
        cookies.clear(response)


router.include_router(_repeatable)
