"""The declaration of a feature to the product.

Each folder of ``features`` has a ``feature.py`` with one function that builds the feature and returns a ``Feature``.
``bootstrap`` calls these functions, one line each, from the bottom layer up. It then hands the declared parts to the
HTTP application, the event bus, the saga runner and the reaper.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter

from metastore.kit.events.consumer import Consumer
from metastore.kit.saga.definition import Definition

Job = Callable[[], Awaitable[None]]
"""Background work: a coroutine function without arguments."""


@dataclass(frozen=True, slots=True)
class Feature:
    """The parts that one feature contributes to the product.

    ``services`` are registered by their type before the next feature is built. The routes of a feature take precedence
    over those of the features below it. ``recurring_jobs``, by name, must be short and repeatable: the reaper runs each
    of them once a round and logs its errors.
    """

    name: str
    routers: Sequence[APIRouter] = ()
    services: Sequence[object] = ()
    consumers: Sequence[Consumer] = ()
    sagas: Sequence[Definition] = ()
    recurring_jobs: Mapping[str, Job] = field(default_factory=dict)
