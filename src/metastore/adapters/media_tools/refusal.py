"""How the child refuses."""


class RefusedError(Exception):
    """The bytes cannot be made sense of, or are too much; the message is a sentence for people."""
