"""How a task in a sandboxed child process refuses its source."""

from metastore.kit.reason_codes import ReasonCode


class RefusedError(Exception):
    """The source cannot be read, or is too large; ``code`` says why."""

    def __init__(self, code: ReasonCode) -> None:
        super().__init__(code.value)
        self.code = code


class NotCopyableError(RefusedError):
    """The video stream cannot be remuxed."""


class NothingToSeeError(RefusedError):
    """No thumbnail can be made of the source, which may well be intact."""
