"""How a task refuses."""


class RefusedError(Exception):
    """The bytes cannot be made sense of, or are too much; the message is a sentence for people."""


class NotCopyableError(RefusedError):
    """The picture cannot be copied as it is."""


class NothingToSeeError(RefusedError):
    """The bytes may well be good, but no picture can be made of them; the message is a sentence for people."""
