"""Error responses of authentication."""

from metastore.kit.problem import Problem


def not_authenticated() -> Problem:
    """Return 401 ``not-authenticated``: there is no session, or it has ended."""
    return Problem(401, "not-authenticated", "Sign in first.")


def token_expired(detail: str) -> Problem:
    """Return 401 ``token-expired``: the token is valid but has expired."""
    return Problem(401, "token-expired", detail)


def suspended() -> Problem:
    """Return 403 ``account-suspended``."""
    return Problem(403, "account-suspended", "This account is suspended.")
