"""The circumstances of the request, as signing in needs and completes them."""

from metastore.kit.context import current_context

_LONGEST_USER_AGENT = 255


def client_address() -> str | None:
    """The network address of the client."""
    context = current_context()
    return context.address if context else None


def throttled_address() -> str:
    """The address that attempts are counted under; clients without one share a count."""
    return client_address() or "unknown"


def user_agent() -> str | None:
    """What the client calls itself, cut to what a session keeps."""
    context = current_context()
    return (context.user_agent or "")[:_LONGEST_USER_AGENT] or None if context else None


def act_as(user_id: str) -> None:
    """From here on the request is this user's doing, unless it was already known to be somebody's."""
    context = current_context()
    if context is not None and context.actor_id is None:
        context.actor_id = user_id
