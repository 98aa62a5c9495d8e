"""The services of a running product, found by type.

``bootstrap`` registers every service once. Features find the services below them here while they are built, and
endpoints name the type that they need (``kit.api.dependencies``).
"""

from typing import TypeVar

Service = TypeVar("Service")


class Services:
    """A registry that holds one service of each type."""

    def __init__(self) -> None:
        self._by_type: dict[type, object] = {}

    def add(self, service: object) -> None:
        """Register ``service`` under its type, replacing any earlier one."""
        self._by_type[type(service)] = service

    def get(self, kind: type[Service]) -> Service:
        """Return the service of type ``kind``.

        Raises:
            LookupError: none was registered.
        """
        try:
            return self._by_type[kind]  # type: ignore[return-value]  # add() keeps type and value together
        except KeyError:
            raise LookupError(f"no {kind.__name__} was registered") from None
