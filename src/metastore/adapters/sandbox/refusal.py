"""Exceptions by which a task refuses its source."""


class RefusedError(Exception):
    """The source cannot be read, or exceeds a limit. The message is a sentence for the user."""


class NotCopyableError(RefusedError):
    """The video cannot be remuxed without encoding it again."""


class NothingToSeeError(RefusedError):
    """The source may be valid, but no picture can be made of it. The message is a sentence for the user."""
