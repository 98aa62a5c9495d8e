"""The auth feature, as ``bootstrap`` installs it."""

from metastore.features.auth.accounts import AccountsService, NewUsers
from metastore.features.auth.cookies import SessionCookies
from metastore.features.auth.endpoints import router
from metastore.features.auth.jobs import delete_expired_sessions
from metastore.features.auth.passwords import Hasher
from metastore.features.auth.service import AuthService
from metastore.features.auth.tokens import Tokens
from metastore.kit.feature import Feature
from metastore.ports.resources import Resources


def auth_feature(
    resources: Resources, *, tokens: Tokens, new_users: NewUsers, hasher: Hasher, secure_cookies: bool
) -> Feature:
    """Build the feature. ``secure_cookies``: people reach the product over https."""
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
        recurring_jobs={"delete expired sessions": delete_expired_sessions(resources.database, auth)},
    )
