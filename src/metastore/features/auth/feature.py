"""The auth feature, as ``bootstrap`` installs it."""

from metastore.features.auth.accounts.service import AccountsService, NewUsers
from metastore.features.auth.credentials.passwords import Hasher
from metastore.features.auth.endpoints import router
from metastore.features.auth.service import AuthService
from metastore.features.auth.sessions.cookies import SessionCookies
from metastore.features.auth.sessions.tokens import Tokens
from metastore.kit.database.unit_of_work import Database
from metastore.kit.feature import Feature, Job
from metastore.ports.resources import Resources


def auth_feature(
    resources: Resources, *, tokens: Tokens, new_users: NewUsers, hasher: Hasher, secure_cookies: bool
) -> Feature:
    """Build the feature. ``secure_cookies``: users reach the product over https."""
    limiter, clock = resources.limiter, resources.clock
    auth = AuthService(tokens=tokens, hasher=hasher, limiter=limiter, clock=clock)
    return Feature(
        "auth",
        routers=[router],
        services=[
            auth,
            AccountsService(hasher=hasher, limiter=limiter, new_users=new_users, clock=clock),
            SessionCookies(secure=secure_cookies),
        ],
        recurring_jobs={"delete expired sessions": _session_deletion(resources.database, auth)},
    )


def _session_deletion(database: Database, auth: AuthService) -> Job:
    async def delete() -> None:
        async with database.transaction() as tx:
            await auth.delete_expired_sessions(tx)

    return delete
