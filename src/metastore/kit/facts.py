"""Facts: what has happened, as other parts of the product learn of it.

A feature declares its facts in ``events.py`` as subclasses of ``Fact``; a service records one in the transaction of the
change (``Transaction.record``). Field names are camelCase on the wire; a published field is never renamed or removed
without a new ``version``.
"""

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
