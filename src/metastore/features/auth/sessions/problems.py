"""Error responses of authentication."""

from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode


def not_authenticated() -> Problem:
    """Return 401 ``not-authenticated``: there is no session, or it has ended."""
    return Problem(401, ProblemCode.NOT_AUTHENTICATED, "Sign in first.")


def token_expired(detail: str) -> Problem:
    """Return 401 ``token-expired``: the token is valid but has expired."""
    return Problem(401, ProblemCode.TOKEN_EXPIRED, detail)


def suspended() -> Problem:
    """Return 403 ``account-suspended``."""
    return Problem(403, ProblemCode.ACCOUNT_SUSPENDED, "This account is suspended.")
