"""The problems of share links."""

from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode


def link_revoked() -> Problem:
    """Return 410 ``link-revoked``."""
    return Problem(410, ProblemCode.LINK_REVOKED, "This link was revoked. Ask who sent it to you for another.")


def link_expired() -> Problem:
    """Return 410 ``link-expired``."""
    return Problem(410, ProblemCode.LINK_EXPIRED, "This link has expired. Ask who sent it to you for another.")


def link_used_up() -> Problem:
    """Return 410 ``link-used-up``."""
    return Problem(410, ProblemCode.LINK_USED_UP, "This link has been opened as often as its owner allows.")


def password_required() -> Problem:
    """Return 401 ``password-required``."""
    return Problem(401, ProblemCode.PASSWORD_REQUIRED, "This link has a password.")


def wrong_password() -> Problem:
    """Return 401 ``wrong-password``."""
    return Problem(401, ProblemCode.WRONG_PASSWORD, "The password of this link is another one.")


def access_required() -> Problem:
    """Return 401 ``link-access-required``."""
    return Problem(401, ProblemCode.LINK_ACCESS_REQUIRED, "Open the link first; its grant is missing or has ended.")


def download_not_permitted() -> Problem:
    """Return 403 ``download-not-permitted``."""
    return Problem(403, ProblemCode.DOWNLOAD_NOT_PERMITTED, "The owner of this link does not allow downloads.")
