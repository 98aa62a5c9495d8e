"""Why something could not be done, in words for the person at the terminal."""

import httpx
from pydantic import ValidationError

from metastore.entrypoints.cli.transfer.wire import ProblemDocument


class TransferError(Exception):
    """One file, or the whole run, failed; the message says why in one line."""


class UsageError(Exception):
    """The command cannot be carried out as it was given; the message says why in one line."""


class RefusedError(TransferError):
    """The server answered with an error that trying again will not mend; ``code`` is stable, ``detail`` for people."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{detail} ({code})" if code else detail)
        self.status = status
        self.code = code


def refusal_of(response: httpx.Response) -> RefusedError:
    """The error in an answer whose body has been read: a problem document, or whatever else stands in its way."""
    status = response.status_code
    try:
        problem = ProblemDocument.model_validate_json(response.content)
    except ValidationError:
        problem = ProblemDocument()
    detail = problem.detail or problem.title or f"The server answered {status} {response.reason_phrase}".rstrip()
    if not problem.code and b"expired" in response.content[:2000].lower():
        # S3 has no code of its own for it: AccessDenied, and "Request has expired" in the text.
        return RefusedError(status, "url-expired", detail)
    return RefusedError(status, problem.code, detail)
