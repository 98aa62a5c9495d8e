"""The request context of authentication: the client's address and user agent, and the acting user."""

from metastore.kit.context import current_context

_MAX_USER_AGENT_LENGTH = 255


def client_address() -> str | None:
    """Return the IP address of the client, if known."""
    context = current_context()
    return context.address if context else None


def rate_limit_address() -> str:
    """Return the address under which attempts are counted; clients without one share a counter."""
    return client_address() or "unknown"


def user_agent() -> str | None:
    """Return the client's user agent, truncated to the length of the session's column."""
    context = current_context()
    return (context.user_agent or "")[:_MAX_USER_AGENT_LENGTH] or None if context else None


def set_actor(user_id: str) -> None:
    """Set the acting user of the current request, unless it has one."""
    context = current_context()
    if context is not None and context.actor_id is None:
        context.actor_id = user_id
