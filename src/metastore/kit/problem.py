"""Errors as the API shows them: RFC 9457 problem details with a stable machine code.

Services raise ``Problem``; the HTTP entry point renders it as ``application/problem+json``. The ``code`` is part of the
API and never changes; ``detail`` is for people and may.
"""

from collections.abc import Mapping

from pydantic import JsonValue

_TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    411: "Length required",
    412: "Precondition failed",
    413: "Too large",
    415: "Unsupported media type",
    416: "Range not satisfiable",
    422: "Invalid input",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable for the moment",
    507: "Storage full",
}


class Problem(Exception):
    """An error with an HTTP status, a stable ``code`` and a sentence for people.

    ``headers`` go on the answer (``Retry-After``, ``Set-Cookie`` …); ``members`` are added to the JSON body.
    ``refused`` marks an attempt at what belongs to others, which the audit trail keeps; a 403 is one
    unless it is said to be none.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        refused: bool | None = None,
        **members: JsonValue,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.refused = status == 403 if refused is None else refused
        self.members = members

    def body(self, instance: str) -> dict[str, JsonValue]:
        """The problem document for the request to ``instance`` (a path)."""
        return {
            "type": f"urn:metastore:problem:{self.code}",
            "title": title_of(self.status),
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "code": self.code,
            **self.members,
        }


def title_of(status: int) -> str:
    """The short title for an HTTP status."""
    return _TITLES.get(status, "Error")


def not_found(what: str = "resource", *, refused: bool = False) -> Problem:
    """404 ``not-found``; the same whether it never was or belongs to somebody else."""
    return Problem(404, "not-found", f"There is no such {what}.", refused=refused)


def invalid(field: str, message: str, code: str = "validation-failed") -> Problem:
    """422 for one field of the input."""
    return Problem(422, code, message, errors=[{"field": field, "message": message}])


def unavailable(detail: str, *, retry_after: int = 2) -> Problem:
    """503 ``unavailable`` with ``Retry-After`` in seconds."""
    return Problem(503, "unavailable", detail, headers={"Retry-After": str(retry_after)})


def storage_full() -> Problem:
    """507 ``storage-full``: the server's device, not the user's quota, has no room."""
    return Problem(507, "storage-full", "The server has no room left. Nothing was stored; try again later.")
