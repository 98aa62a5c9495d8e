"""Exceptions by which a task in a sandboxed child process refuses its source."""

from metastore.kit.problems.reason_codes import ReasonCode


class RefusedError(Exception):
    """The source cannot be read or exceeds a limit; ``code`` is the reason."""

    def __init__(self, code: ReasonCode) -> None:
        super().__init__(code.value)
        self.code = code


class NotCopyableError(RefusedError):
    """The video cannot be remuxed; it has to be encoded."""


class NoPictureError(RefusedError):
    """No thumbnail can be made of the source, although it may be intact."""
