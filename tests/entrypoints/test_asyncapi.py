"""The documentation of events is valid, complete and up to date."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jsonschema_rs
import pytest
from pydantic import JsonValue

from metastore.entrypoints import asyncapi
from metastore.kit.clock import utc_now
from metastore.kit.events import cloudevents
from metastore.kit.events.event import Event
from metastore.ports.event_bus import Subscription
from tests.fixtures.events import event

PAGE = Path(__file__).parents[2] / "docs" / "events.md"


@pytest.fixture
async def published() -> tuple[list[type[Event]], list[Subscription]]:
    """The events and the consumers of the product."""
    return await asyncapi.published()


@pytest.fixture
def document(published: tuple[list[type[Event]], list[Subscription]]) -> dict[str, JsonValue]:
    """The AsyncAPI document."""
    return asyncapi.document(*published)


def test_every_reference_exists(document: dict[str, JsonValue]) -> None:
    references = set(_references(document))
    assert len(references) > 50
    for reference in references:
        _resolve(document, reference)


def test_every_event_type_and_every_queue_is_described(
    published: tuple[list[type[Event]], list[Subscription]], document: dict[str, JsonValue]
) -> None:
    """Each type has a channel, a message with its summary, and an operation; each consumer its queues."""
    event_classes, subscriptions = published
    addresses = {channel["address"] for channel in document["channels"].values()}  # type: ignore[union-attr, index, call-overload]  # JSON
    assert {event_class.event_type for event_class in event_classes} <= addresses
    for subscription in subscriptions:
        assert {f"metastore.{subscription.consumer}", f"metastore.{subscription.consumer}.dead"} <= addresses
    assert len(event_classes) == len({event_class.event_type for event_class in event_classes})
    for event_class in event_classes:
        assert asyncapi.summary(event_class), f"{event_class.__name__} has no docstring"


def test_each_published_event_matches_its_schema(
    published: tuple[list[type[Event]], list[Subscription]], document: dict[str, JsonValue]
) -> None:
    """The envelope and the data match the schemas in the document."""
    for event_class in published[0]:
        values = {name: _some(str(field.annotation)) for name, field in event_class.model_fields.items()}
        payload = event_class(**values).model_dump(mode="json", by_alias=True)
        sent = replace(
            event(event_type=event_class.event_type), payload=payload, headers={"version": str(event_class.version)}
        )
        schema = {"$ref": f"#/components/messages/{event_class.__name__}/payload", "components": document["components"]}
        validator = jsonschema_rs.Draft7Validator(schema)
        envelope = json.loads(cloudevents.encode(sent))
        assert [] == [error.message for error in validator.iter_errors(envelope)]
        assert not validator.is_valid({**envelope, "type": "another"})
        assert not validator.is_valid({**envelope, "data": {}})


def test_the_page_is_up_to_date(published: tuple[list[type[Event]], list[Subscription]]) -> None:
    """``docs/events.md`` lists each type; ``metastore asyncapi --page`` writes it."""
    assert PAGE.read_text() == asyncapi.page(*published), "run: metastore asyncapi --page > docs/events.md"


def _references(node: JsonValue) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref" and isinstance(value, str):
                yield value
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _resolve(document: JsonValue, reference: str) -> JsonValue:
    node = document
    for step in reference.removeprefix("#/").split("/"):
        assert isinstance(node, dict)
        assert step in node, f"{reference} does not exist"
        node = node[step]
    return node


def _some(annotation: str) -> object:
    samples: dict[str, object] = {
        "tuple": (),
        "list": [],
        "dict": {},
        "datetime": utc_now(),
        "int": 7,
        "float": 0.5,
        "bool": True,
    }
    return next((value for name, value in samples.items() if name in annotation), "something")
