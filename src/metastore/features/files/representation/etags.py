"""``If-Match`` (RFC 9110, section 13.1.1): update a resource only if the client has its current version."""

import re

from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode

_TAG = re.compile(r'\s*(W/)?("[^"]*")\s*(?:,|$)')


def require_match(if_match: str | None, etag: str) -> None:
    """Return if there is no condition or ``etag`` (with its quotes) meets it.

    The comparison is strong: weak tags never match.

    Raises:
        Problem: 412 ``stale``.
    """
    if if_match is None or if_match.strip() == "*":
        return
    if any(not weak and tag == etag for weak, tag in _TAG.findall(if_match)):
        return
    raise Problem(412, ProblemCode.STALE, "The resource has changed. Read it again before you change it.")
