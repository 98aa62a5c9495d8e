"""Facts: what has happened, as other parts of the product learn of it.

A feature declares its facts in ``events.py`` as subclasses of ``Fact``; a service records one in the transaction of the
change (``Transaction.record``). Field names are camelCase on the wire; a published field is never renamed or removed
without a new ``version``.
"""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Fact(BaseModel):
    """Base of every fact."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    event_type: ClassVar[str]
    """Routing key, ``<aggregate>.<past tense>``: ``file.uploaded``."""
    version: ClassVar[int] = 1

    def aggregate(self) -> str:
        """The thing it is about, as ``kind:id``; facts of one aggregate are delivered in order."""
        raise TypeError(f"{type(self).__name__} must say what it is about")


def known_facts() -> list[type[Fact]]:
    """Every fact that a loaded module declares."""
    return [fact for fact in _subclasses(Fact) if hasattr(fact, "event_type")]


def known_event_types() -> frozenset[str]:
    """The event types of every fact that a loaded module declares."""
    return frozenset(fact.event_type for fact in known_facts())


def _subclasses(fact: type[Fact]) -> Iterator[type[Fact]]:
    for subclass in fact.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
