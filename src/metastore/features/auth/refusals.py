"""Refusals that more than one rule gives."""

from metastore.kit.problem import Problem
from metastore.kit.problem_codes import ProblemCode


def not_authenticated() -> Problem:
    """401 ``not-authenticated``: nobody is signed in, or no longer."""
    return Problem(401, ProblemCode.NOT_AUTHENTICATED, "Sign in first.")


def token_expired(detail: str) -> Problem:
    """401 ``token-expired``: it was a good token once."""
    return Problem(401, ProblemCode.TOKEN_EXPIRED, detail)


def suspended() -> Problem:
    """403 ``account-suspended``."""
    return Problem(403, ProblemCode.ACCOUNT_SUSPENDED, "This account is suspended.")
