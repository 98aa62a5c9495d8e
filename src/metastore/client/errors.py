"""Exceptions of the client. Their messages are for the user."""

import httpx
from pydantic import ValidationError

from metastore.client.responses import ProblemDocument


class TransferError(Exception):
    """A transfer or the whole run failed. The message is one line."""


class UsageError(Exception):
    """The arguments are invalid. The message is one line."""


class RefusedError(TransferError):
    """The server refused a request, and a retry would not help. ``code`` is a problem code, or empty."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{detail} ({code})" if code else detail)
        self.status = status
        self.code = code


def refusal_of(response: httpx.Response) -> RefusedError:
    """Return the error for a response whose body has been read: a problem document or anything else."""
    status = response.status_code
    try:
        problem = ProblemDocument.model_validate_json(response.content)
    except ValidationError:
        problem = ProblemDocument()
    detail = problem.detail or problem.title or f"The server responded with {status} {response.reason_phrase}".rstrip()
    if not problem.code and b"expired" in response.content[:2000].lower():
        # S3 has no code for this: it sends AccessDenied with the text "Request has expired".
        return RefusedError(status, "url-expired", detail)
    return RefusedError(status, problem.code, detail)
