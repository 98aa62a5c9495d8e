"""The auth service: signing in, authenticating requests, refreshing and signing out.

Verifying a password is slow and must not happen inside a transaction. Signing in has three steps: read the user, verify
the password outside any transaction, then open the session in a transaction that checks the user again.

Some failures record an event (a wrong password, a reused refresh token). They are *returned* as a ``Problem``, to be
raised by the endpoint after the commit; all others are raised.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

from metastore.features.auth import repository
from metastore.features.auth.credentials.passwords import Hasher
from metastore.features.auth.credentials.throttling import AuthLimits, count_attempt
from metastore.features.auth.events import (
    SessionOpened,
    SessionRefused,
    SessionReused,
)
from metastore.features.auth.identity.names import comparison_key
from metastore.features.auth.identity.roles import Status
from metastore.features.auth.models import Session, User
from metastore.features.auth.repository import SessionUser
from metastore.features.auth.schemas import Caller, Credentials, SessionOut, UserOut
from metastore.features.auth.sessions.problems import not_authenticated, suspended, token_expired
from metastore.features.auth.sessions.request_context import (
    client_address,
    rate_limit_address,
    set_actor,
    user_agent,
)
from metastore.features.auth.sessions.revocation import revoke_session
from metastore.features.auth.sessions.tokens import (
    AccessClaims,
    ExpiredTokenError,
    InvalidTokenError,
    RefreshClaims,
    TokenPair,
    Tokens,
)
from metastore.kit.api.paging import Page, decode_cursor, encode_cursor, invalid_cursor
from metastore.kit.clock import Clock, utc_now
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.ids import is_id, new_id
from metastore.kit.problems.problem import Problem, not_found
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.ports.rate_limiter import RateLimiter

REFRESH_REUSE_WINDOW = timedelta(seconds=10)
"""How long a used refresh token may be used again, for parallel requests, and returns the same successor."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The result of signing in or refreshing: the user and the tokens of the session."""

    user: UserOut
    tokens: TokenPair


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """A sign-in whose password has been verified; ``new_hash`` replaces a hash with outdated parameters."""

    name: str
    user_id: str | None
    password_hash: str | None = field(repr=False)
    password_matches: bool
    new_hash: str | None = field(repr=False)


class AuthService:
    """The rules of sessions."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        hasher: Hasher,
        limiter: RateLimiter,
        limits: AuthLimits | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._tokens = tokens
        self._hasher = hasher
        self._limiter = limiter
        self._limits = limits or AuthLimits()
        self._clock = clock

    # --- authenticating requests

    def read_access_token(self, token: str | None) -> AccessClaims:
        """Return the claims of a valid access token.

        Raises:
            Problem: 401 ``not-authenticated`` or ``token-expired``.
        """
        try:
            return self._tokens.read_access(token)
        except ExpiredTokenError:
            raise token_expired("The access token has expired. Refresh the session.") from None
        except InvalidTokenError:
            raise not_authenticated() from None

    async def session_user(self, tx: Transaction, claims: AccessClaims) -> SessionUser:
        """Return the user if the session is active.

        Raises:
            Problem: 401 ``not-authenticated`` when the session has ended; 403 ``account-suspended``.
        """
        found = await repository.session_user(tx, claims.session_id, claims.user_id)
        if found is None or found.revoked_at is not None or found.expires_at <= self._clock():
            raise not_authenticated()
        if found.status != Status.ACTIVE:
            raise suspended()
        return found

    # --- signing in and out

    async def find(self, tx: Transaction, name: str) -> User | None:
        """Return the user with this username or e-mail address."""
        if "@" in name:
            return await repository.user_by_key(tx, email_key=comparison_key(name.strip()))
        return await repository.user_by_key(tx, username_key=comparison_key(name))

    async def verify_password(self, user: User | None, credentials: Credentials) -> SignInAttempt:
        """Verify the password, at the same cost if there is no such user. Must not run inside a transaction.

        Raises:
            Problem: 429 ``too-many-attempts`` by this address or on this account.
        """
        await count_attempt(self._limiter, self._limits.login_per_address, rate_limit_address())
        key = user.id if user else comparison_key(credentials.username)
        await count_attempt(self._limiter, self._limits.login_per_account, key)
        matches = await self._hasher.verify(user.password_hash if user else None, credentials.password)
        if user is None:
            return SignInAttempt(credentials.username, None, None, password_matches=False, new_hash=None)
        outdated = matches and self._hasher.outdated(user.password_hash)
        new_hash = await self._hasher.hash(credentials.password) if outdated else None
        return SignInAttempt(credentials.username, user.id, user.password_hash, matches, new_hash)

    async def sign_in(self, tx: Transaction, attempt: SignInAttempt) -> SignedIn | Problem:
        """Open a session if the password matches; otherwise record the failure and return a ``Problem``.

        It is 401 ``invalid-credentials``, or 403 ``account-suspended`` if the password matches but the user is
        suspended.
        """
        user = await repository.user_by_id(tx, attempt.user_id, lock=True) if attempt.user_id else None
        if user is None or not attempt.password_matches or user.password_hash != attempt.password_hash:
            self._record_refused(tx, attempt, "wrong-password" if user else "unknown-user")
            return Problem(401, ProblemCode.INVALID_CREDENTIALS, "The username or the password is wrong.")
        if user.status != Status.ACTIVE:
            self._record_refused(tx, attempt, "suspended")
            return suspended()
        if attempt.new_hash:
            user.password_hash = attempt.new_hash
        return await self._open_session(tx, user)

    async def refund(self, attempt: SignInAttempt) -> None:
        """Remove a successful sign-in from the attempts counted."""
        await self._limiter.refund(self._limits.login_per_address, rate_limit_address())
        await self._limiter.refund(self._limits.login_per_account, attempt.user_id or comparison_key(attempt.name))

    def read_refresh_token(self, token: str | None) -> RefreshClaims:
        """Return the claims of a valid refresh token.

        Raises:
            Problem: 401 ``not-authenticated`` or ``token-expired``.
        """
        try:
            return self._tokens.read_refresh(token)
        except ExpiredTokenError:
            raise token_expired("The session has expired. Sign in again.") from None
        except InvalidTokenError:
            raise not_authenticated() from None

    async def refresh(self, tx: Transaction, claims: RefreshClaims) -> SignedIn | Problem:
        """Issue new tokens for the session.

        A token that was used less than ``REFRESH_REUSE_WINDOW`` ago returns the same successor again, byte for byte. An
        older one may have been stolen: its session is revoked, and 401 ``refresh-reused`` is returned.

        Raises:
            Problem: 401 ``not-authenticated`` if the session has ended; 403 ``account-suspended``.
        """
        now = self._clock()
        rotated = await repository.rotate(tx, claims.session_id, claims.generation, refreshed_at=now)
        found = await repository.session_with_user(tx, claims.session_id)
        if found is None:
            raise not_authenticated()
        session, user = found
        if rotated:
            session.expires_at = self._tokens.end_of_session(created_at=session.created_at, refreshed_at=now)
        if session.revoked_at is not None or session.expires_at <= now:
            raise not_authenticated()
        if user.status != Status.ACTIVE:
            raise suspended()
        set_actor(user.id)
        behind = session.generation - claims.generation
        if rotated or (behind == 1 and now - session.refreshed_at <= REFRESH_REUSE_WINDOW):
            return self._signed_in(user, session)
        if behind < 1:
            raise not_authenticated()
        tx.record(SessionReused(user_id=user.id, session_id=session.id, generation=claims.generation))
        await revoke_session(tx, user.id, session.id, "refresh-reused", now)
        return Problem(401, ProblemCode.REFRESH_REUSED, "This refresh token was already used. Sign in again.")

    def sessions_of(self, access_token: str | None, refresh_token: str | None) -> set[tuple[str, str]]:
        """Return the user IDs and session IDs in the tokens, even if these have expired."""
        found = set()
        for read, token in ((self._tokens.read_access, access_token), (self._tokens.read_refresh, refresh_token)):
            try:
                claims = read(token, allow_expired=True)
            except InvalidTokenError:
                continue
            found.add((claims.user_id, claims.session_id))
        return found

    async def sign_out(self, tx: Transaction, user_id: str, session_id: str) -> None:
        """Revoke the session if it is active."""
        set_actor(user_id)
        await revoke_session(tx, user_id, session_id, "signed-out", self._clock())

    # --- devices

    async def sessions(self, tx: Transaction, caller: Caller, limit: int, cursor: str | None) -> Page[SessionOut]:
        """Return a page of the caller's active sessions, latest first."""
        before_id = _id_from_cursor(cursor) if cursor else None
        rows = await repository.active_sessions(tx, caller.id, now=self._clock(), before_id=before_id, limit=limit + 1)
        items = [
            SessionOut(
                id=row.id,
                user_agent=row.user_agent,
                address=row.address,
                created_at=row.created_at,
                refreshed_at=row.refreshed_at,
                expires_at=row.expires_at,
                current=row.id == caller.session_id,
            )
            for row in rows[:limit]
        ]
        return Page(items=items, next_cursor=encode_cursor([items[-1].id]) if len(rows) > limit else None)

    async def revoke_session(self, tx: Transaction, caller: Caller, session_id: str) -> None:
        """Revoke one of the caller's sessions.

        Raises:
            Problem: 404 if the caller has no such session.
        """
        if not is_id(session_id) or not await revoke_session(tx, caller.id, session_id, "revoked", self._clock()):
            raise not_found("session")

    async def inactive_among(self, tx: Transaction, session_ids: Collection[str]) -> set[str]:
        """Return those of the sessions that are no longer active, for whatever reason."""
        return set(session_ids) - await repository.active_among(tx, session_ids, now=self._clock())

    async def delete_expired_sessions(self, tx: Transaction) -> None:
        """Delete sessions that expired more than a day ago."""
        await repository.delete_expired_sessions(tx, self._clock() - timedelta(days=1))

    async def _open_session(self, tx: Transaction, user: User) -> SignedIn:
        now = self._clock()
        session = Session(
            id=new_id(),
            user_id=user.id,
            generation=0,
            created_at=now,
            refreshed_at=now,
            expires_at=self._tokens.end_of_session(created_at=now, refreshed_at=now),
            user_agent=user_agent(),
            address=client_address(),
        )
        await repository.insert_session(tx, session)
        set_actor(user.id)
        tx.record(SessionOpened(user_id=user.id, session_id=session.id))
        return self._signed_in(user, session)

    def _signed_in(self, user: User, session: Session) -> SignedIn:
        tokens = self._tokens.issue(
            user.id,
            session.id,
            session.generation,
            refreshed_at=session.refreshed_at,
            expires_at=session.expires_at,
        )
        return SignedIn(UserOut.model_validate(user), tokens)

    def _record_refused(self, tx: Transaction, attempt: SignInAttempt, reason: str) -> None:
        tx.record(SessionRefused(username=attempt.name[:64], user_id=attempt.user_id, reason=reason))


def _id_from_cursor(cursor: str) -> str:
    (session_id,) = decode_cursor(cursor, 1)
    if not isinstance(session_id, str) or not is_id(session_id):
        raise invalid_cursor()
    return session_id
