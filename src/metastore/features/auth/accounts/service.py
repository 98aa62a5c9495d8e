"""The accounts service: registration, and changes to one's own account.

Hashing a password is slow and must not happen inside a transaction. Operations that need it have three steps: read,
verify and hash outside any transaction, then write in a transaction that checks again what was read.
"""

from dataclasses import dataclass, field

from metastore.features.auth import repository
from metastore.features.auth.credentials.passwords import Hasher
from metastore.features.auth.credentials.throttling import AuthLimits, count_attempt
from metastore.features.auth.events import PasswordChanged, UserRegistered
from metastore.features.auth.identity.names import comparison_key
from metastore.features.auth.identity.roles import Role, Status
from metastore.features.auth.models import User
from metastore.features.auth.schemas import Caller, ProfileChange, Registration, UserOut
from metastore.features.auth.sessions.request_context import rate_limit_address, set_actor
from metastore.features.auth.sessions.revocation import revoke_other_sessions
from metastore.kit.clock import Clock, utc_now
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem, invalid, not_found
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.ports.rate_limiter import RateLimiter


@dataclass(frozen=True, slots=True)
class NewUsers:
    """The settings of new accounts: plan, storage quota in bytes, and whether users may register themselves."""

    plan: str
    storage_quota: int
    registration_open: bool = True


@dataclass(frozen=True, slots=True)
class PreparedChange:
    """A profile change with passwords hashed; ``old_hash`` is the hash that the current password matched."""

    display_name: str | None
    old_hash: str | None = field(default=None, repr=False)
    new_hash: str | None = field(default=None, repr=False)


class AccountsService:
    """The rules of accounts."""

    def __init__(
        self,
        *,
        hasher: Hasher,
        limiter: RateLimiter,
        new_users: NewUsers,
        limits: AuthLimits | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._hasher = hasher
        self._limiter = limiter
        self._new_users = new_users
        self._limits = limits or AuthLimits()
        self._clock = clock

    async def hash_for_registration(self, registration: Registration) -> str:
        """Hash the password if registration is open. Must not run inside a transaction.

        Raises:
            Problem: 403 ``registration-closed``; 429 ``too-many-attempts``.
        """
        if not self._new_users.registration_open:
            raise Problem(
                403, ProblemCode.REGISTRATION_CLOSED, "Registration is closed. Ask the administrator for an account."
            )
        await count_attempt(self._limiter, self._limits.register_per_address, rate_limit_address())
        return await self._hasher.hash(registration.password)

    async def hash_password(self, password: str) -> str:
        """Hash ``password``. Must not run inside a transaction."""
        return await self._hasher.hash(password)

    async def register(
        self,
        tx: Transaction,
        registration: Registration,
        password_hash: str,
        *,
        role: Role = Role.USER,
        by: str = "registration",
    ) -> UserOut:
        """Create an account, without signing in. ``by`` is recorded in the event.

        Raises:
            Problem: 409 ``username-taken`` or ``email-taken``.
        """
        user = self._new_user(registration, password_hash, role)
        if not await repository.insert_user(tx, user):
            if await repository.user_by_key(tx, username_key=user.username_key):
                raise Problem(409, ProblemCode.USERNAME_TAKEN, "This username is already taken.")
            raise Problem(409, ProblemCode.EMAIL_TAKEN, "This e-mail address is already in use.")
        set_actor(user.id)
        tx.record(UserRegistered(user_id=user.id, username=user.username, role=user.role, by=by))
        return UserOut.model_validate(user)

    async def no_users_yet(self, tx: Transaction) -> bool:
        """Return whether no account exists yet."""
        return not await repository.any_user(tx)

    async def password_hash_of(self, tx: Transaction, caller: Caller) -> str:
        """Return the caller's current password hash."""
        return (await self._own(tx, caller)).password_hash

    async def prepare_change(self, caller: Caller, password_hash: str, change: ProfileChange) -> PreparedChange:
        """Verify the current password and hash the new one. Must not run inside a transaction.

        Attempts share the limit on sign-ins of the account.

        Raises:
            Problem: 422 ``wrong-password``; 429 ``too-many-attempts``.
        """
        if change.password is None:
            return PreparedChange(change.display_name)
        await count_attempt(self._limiter, self._limits.login_per_account, caller.id)
        if not await self._hasher.verify(password_hash, change.current_password or ""):
            raise _wrong_password()
        await self._limiter.refund(self._limits.login_per_account, caller.id)
        return PreparedChange(change.display_name, password_hash, await self._hasher.hash(change.password))

    async def change_profile(self, tx: Transaction, caller: Caller, change: PreparedChange) -> UserOut:
        """Change the caller's account; a new password revokes all its other sessions.

        Raises:
            Problem: 422 ``wrong-password`` if the password has been changed since ``prepare_change``.
        """
        user = await self._own(tx, caller, lock=True)
        now = self._clock()
        if change.display_name is not None:
            user.display_name = change.display_name
            user.updated_at = now
        if change.new_hash is not None:
            if user.password_hash != change.old_hash:
                raise _wrong_password()
            user.password_hash = change.new_hash
            user.updated_at = now
            tx.record(PasswordChanged(user_id=user.id))
            await revoke_other_sessions(tx, user.id, caller.session_id, "password-changed", now)
        return UserOut.model_validate(user)

    async def _own(self, tx: Transaction, caller: Caller, *, lock: bool = False) -> User:
        user = await repository.user_by_id(tx, caller.id, lock=lock)
        if user is None:
            raise not_found("user")
        return user

    def _new_user(self, registration: Registration, password_hash: str, role: Role) -> User:
        now = self._clock()
        return User(
            id=new_id(),
            username=registration.username,
            username_key=comparison_key(registration.username),
            email=registration.email,
            email_key=comparison_key(registration.email),
            display_name=registration.display_name or registration.username,
            password_hash=password_hash,
            role=role,
            status=Status.ACTIVE,
            plan=self._new_users.plan,
            storage_used=0,
            storage_reserved=0,
            storage_quota=self._new_users.storage_quota,
            created_at=now,
            updated_at=now,
        )


def _wrong_password() -> Problem:
    return invalid("currentPassword", "The current password is wrong.", code=ProblemCode.WRONG_PASSWORD)
