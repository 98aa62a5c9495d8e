"""What the product publishes, as an AsyncAPI 3.0 document and as a page for people, both made from the code.

https://www.asyncapi.com/docs/reference/specification/v3.0.0

The events are the ``Fact`` classes that the features declare; who consumes them is read off the bus of a product that
is put together for the purpose and never runs. The document describes RabbitMQ, where an event type is a routing key
of the exchange and a consumer is a queue; on other buses the messages are the same.
"""

import inspect
from collections.abc import Sequence

from pydantic import JsonValue

from metastore import __version__
from metastore.entrypoints.blueprint import blueprint
from metastore.kit.cloudevents import CONTENT_TYPE, EXTENSIONS, SOURCE, data_schema
from metastore.kit.facts import Fact, known_facts
from metastore.ports.event_bus import MAX_ATTEMPTS, Subscription

EXCHANGE = "metastore.events"
Object = dict[str, JsonValue]


async def published() -> tuple[list[type[Fact]], list[Subscription]]:
    """The product's facts and its consumers, in alphabetical order."""
    async with blueprint() as product:
        subscriptions = sorted(product.bus.subscriptions, key=lambda subscription: subscription.consumer)
    facts = [fact for fact in known_facts() if fact.__module__.startswith("metastore.")]
    return sorted(facts, key=lambda fact: fact.event_type), subscriptions


def document(facts: Sequence[type[Fact]], subscriptions: Sequence[Subscription]) -> Object:
    """The AsyncAPI document."""
    channels: Object = {}
    operations: Object = {}
    for fact in facts:
        name = fact.__name__
        channels[name] = _routing_key(fact)
        operations[f"publish{name}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{name}"},
            "summary": summary(fact),
            "bindings": {"amqp": {"deliveryMode": 2, "mandatory": True, "bindingVersion": "0.3.0"}},
        }
    for subscription in subscriptions:
        wanted = [fact for fact in facts if subscription.wants(fact.event_type)]
        title = subscription.consumer.capitalize()
        channels[f"queue{title}"] = _queue(f"metastore.{subscription.consumer}", wanted)
        channels[f"dead{title}"] = _queue(f"metastore.{subscription.consumer}.dead", wanted)
        operations[f"consume{title}"] = {
            "action": "receive",
            "channel": {"$ref": f"#/channels/queue{title}"},
            "summary": f"The consumer {subscription.consumer}: at least once, in order within a subject.",
            "bindings": {"amqp": {"ack": True, "bindingVersion": "0.3.0"}},
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "MetaStore events",
            "version": __version__,
            "description": (
                "Facts, published after the transaction that made them true. Delivery is at least once: drop what you"
                f" know by its id. A consumer of ours tries {MAX_ATTEMPTS} times before an event is dead."
            ),
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {fact.__name__: _message(fact) for fact in facts},
            "schemas": {"CloudEvent": _envelope(), **{name: schema for fact in facts for name, schema in _data(fact)}},
        },
    }


def page(facts: Sequence[type[Fact]], subscriptions: Sequence[Subscription]) -> str:
    """``docs/events.md``."""
    lines = [
        "# Events",
        "",
        "What happens in MetaStore is published as [CloudEvents 1.0](https://cloudevents.io) in JSON. On RabbitMQ the",
        f"topic exchange is `{EXCHANGE}` and the routing key is the type: bind a queue of your own to it. The fields",
        "of each type are in the AsyncAPI document that `metastore asyncapi` prints. `subject` is what one is about,",
        "and events of one subject come in order. Delivery is at least once: drop what you know by its `id`.",
        "",
        "This page is made by `metastore asyncapi --page`.",
        "",
        "| type | version | what has happened | fields | consumed by |",
        "|---|---|---|---|---|",
    ]
    for fact in facts:
        consumers = ", ".join(s.consumer for s in subscriptions if s.wants(fact.event_type))
        fields = ", ".join(f"`{field.alias or name}`" for name, field in fact.model_fields.items())
        lines.append(f"| `{fact.event_type}` | {fact.version} | {summary(fact)} | {fields} | {consumers} |")
    return "\n".join(lines) + "\n"


def summary(fact: type[Fact]) -> str:
    """The first paragraph of the fact's docstring, in one line."""
    return " ".join((inspect.getdoc(fact) or "").split("\n\n", maxsplit=1)[0].split()).replace("``", "`")


def _routing_key(fact: type[Fact]) -> Object:
    exchange: Object = {"name": EXCHANGE, "type": "topic", "durable": True, "autoDelete": False}
    return {
        "address": fact.event_type,
        "messages": {fact.__name__: {"$ref": f"#/components/messages/{fact.__name__}"}},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}},
    }


def _queue(name: str, facts: Sequence[type[Fact]]) -> Object:
    queue: Object = {"name": name, "durable": True, "exclusive": False, "autoDelete": False}
    return {
        "address": name,
        "messages": {fact.__name__: {"$ref": f"#/components/messages/{fact.__name__}"} for fact in facts},
        "bindings": {"amqp": {"is": "queue", "queue": queue, "bindingVersion": "0.3.0"}},
    }


def _message(fact: type[Fact]) -> Object:
    own: Object = {
        "type": "object",
        "properties": {
            "type": {"const": fact.event_type},
            "dataschema": {"const": data_schema(fact.event_type, str(fact.version))},
            "data": {"$ref": f"#/components/schemas/{fact.__name__}"},
        },
    }
    return {
        "name": fact.event_type,
        "title": fact.__name__,
        "summary": summary(fact),
        "contentType": CONTENT_TYPE,
        "payload": {"allOf": [{"$ref": "#/components/schemas/CloudEvent"}, own]},
    }


def _data(fact: type[Fact]) -> list[tuple[str, JsonValue]]:
    schema = fact.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    nested = schema.pop("$defs", {})
    return [(fact.__name__, schema), *nested.items()]


def _envelope() -> Object:
    text: Object = {"type": "string", "minLength": 1}
    required = ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data"]
    return {
        "title": "CloudEvent",
        "description": "The envelope, as CloudEvents 1.0 has it; the last four tell of the request behind the event.",
        "type": "object",
        "required": list[JsonValue](required),
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "format": "uuid"},
            "source": {"const": SOURCE},
            "type": text,
            "subject": text,
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "dataschema": text,
            "data": {"type": "object"},
            **{extension: {"type": "string"} for extension in EXTENSIONS.values()},
        },
    }
