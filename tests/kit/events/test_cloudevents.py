"""The serialization of events."""

import json
from dataclasses import replace

import pytest

from metastore.kit.events.cloudevents import NotAnEventError, decode, encode
from tests.fixtures.events import event

HEADERS = {"version": "2", "requestId": "r-1", "actorId": "u-1", "address": "::1", "userAgent": "curl/8"}


def test_decoding_reverses_encoding() -> None:
    sent = replace(event(), headers={**HEADERS, "traceparent": "00-1", "X-Other Name": "kept", "data": "kept, too"})
    assert sent == decode(encode(sent))


def test_the_envelope_is_a_cloud_event() -> None:
    """All required attributes of CloudEvents 1.0 are present, and the extensions have valid names."""
    sent = replace(event(), headers=HEADERS)
    document = json.loads(encode(sent))
    assert ("1.0", sent.id, "/metastore", "sample.recorded", "sample:copper") == tuple(
        document[name] for name in ("specversion", "id", "source", "type", "subject")
    )
    assert "urn:metastore:event:sample.recorded:2" == document["dataschema"]
    assert all(name.isalnum() and name == name.lower() for name in document)


def test_any_text_can_be_encoded() -> None:
    """Including all kinds of characters and lone surrogates."""
    sent = replace(event(), payload={"name": 'tệp "ảnh" 🫖 \ud83d \u2028'})
    assert sent == decode(encode(sent))


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b"\xff", b'{"specversion":"0.3","data":{}}'])
def test_invalid_events_are_rejected(body: bytes) -> None:
    with pytest.raises(NotAnEventError):
        decode(body)
