"""Error responses of the API: RFC 9457 problem details with a stable machine-readable code.

Services raise ``Problem``; the HTTP entry point renders it as ``application/problem+json``. The ``code`` is part of the
API and never changes. The ``detail`` is a sentence for users and may change.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from metastore.kit.problems.problem_codes import ProblemCode

if TYPE_CHECKING:
    # Not imported: the process of the data plane does without it.
    from pydantic import JsonValue

MEDIA_TYPE = "application/problem+json"

_TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "Gone",
    411: "Length required",
    412: "Precondition failed",
    413: "Too large",
    415: "Unsupported media type",
    416: "Range not satisfiable",
    422: "Invalid input",
    429: "Too many requests",
    500: "Internal error",
    503: "Temporarily unavailable",
    507: "Storage full",
}


class Problem(Exception):
    """An error with an HTTP status, a stable ``code`` and a sentence for users.

    ``headers`` are added to the response (``Retry-After``, ``Set-Cookie`` …), ``members`` to the JSON body. ``refused``
    marks unauthorized access, which is recorded in the audit log. By default every 403 is marked.
    """

    def __init__(
        self,
        status: int,
        code: ProblemCode,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        refused: bool | None = None,
        **members: "JsonValue",
    ) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.refused = status == 403 if refused is None else refused
        self.members = members

    def body(self, instance: str) -> "dict[str, JsonValue]":
        """Return the problem document for a request to the path ``instance``."""
        return {
            "type": f"urn:metastore:problem:{self.code}",
            "title": title_of(self.status),
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "code": self.code.value,
            **self.members,
        }


def title_of(status: int) -> str:
    """Return the title of an HTTP status."""
    return _TITLES.get(status, "Error")


def not_found(what: str = "resource", *, refused: bool = False) -> Problem:
    """Return 404 ``not-found``, the same for missing resources and those of other users."""
    return Problem(404, ProblemCode.NOT_FOUND, f"There is no such {what}.", refused=refused)


def invalid(field: str, message: str, code: ProblemCode = ProblemCode.VALIDATION_FAILED) -> Problem:
    """Return 422 for one field of the input."""
    return Problem(422, code, message, errors=[{"field": field, "message": message}])


def unavailable(detail: str, *, retry_after: int = 2) -> Problem:
    """Return 503 ``unavailable`` with ``Retry-After`` in seconds."""
    return Problem(503, ProblemCode.UNAVAILABLE, detail, headers={"Retry-After": str(retry_after)})


def storage_full() -> Problem:
    """Return 507 ``storage-full``: the server's disk is full, not the user's quota."""
    return Problem(507, ProblemCode.STORAGE_FULL, "The server's storage is full. Nothing was stored; try again later.")


@contextmanager
def unless_disk_full() -> Iterator[None]:
    """Go on after the block if it raises 507 ``storage-full``: what it was to store is not worth an error."""
    try:
        yield
    except Problem as problem:
        if problem.status != 507:
            raise
