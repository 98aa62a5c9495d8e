"""Features as the composition root sees them.

Each folder of ``features`` has a ``feature.py`` with one function that builds the feature and returns a ``Feature``:
everything that the rest of the product takes from it. ``bootstrap`` calls these functions, one line each, from the
bottom layer up; the HTTP application, the event bus, the saga runner and the workers then take what was declared.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter

from metastore.kit.events.consumer import Consumer
from metastore.kit.saga.definition import Definition

Job = Callable[[], Awaitable[None]]
"""A unit of background work: a coroutine function without arguments."""


@dataclass(frozen=True, slots=True)
class Feature:
    """What one feature contributes to the product.

    ``services`` are registered by their type before the next feature is built. Routes of a feature take precedence
    over those of the features below it. ``recurring_jobs`` are short and repeatable: the reaper runs each of them, by
    name, once a round, and logs what they raise.
    """

    name: str
    routers: Sequence[APIRouter] = ()
    services: Sequence[object] = ()
    consumers: Sequence[Consumer] = ()
    sagas: Sequence[Definition] = ()
    recurring_jobs: Mapping[str, Job] = field(default_factory=dict)
