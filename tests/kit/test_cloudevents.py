"""Events on the wire."""

import json
from dataclasses import replace

import pytest

from metastore.kit.cloudevents import NotAnEventError, decode, encode
from tests.fixtures.events import event

HEADERS = {"version": "2", "requestId": "r-1", "actorId": "u-1", "address": "::1", "userAgent": "curl/8"}


def test_an_event_comes_back_as_it_was_sent() -> None:
    sent = replace(event(), headers={**HEADERS, "traceparent": "00-1", "X-Odd Name": "kept", "data": "kept, too"})
    assert sent == decode(encode(sent))


def test_the_envelope_is_a_cloud_event() -> None:
    """The attributes that CloudEvents 1.0 requires are there, and ours have names that it allows."""
    sent = replace(event(), headers=HEADERS)
    document = json.loads(encode(sent))
    assert ("1.0", sent.id, "/metastore", "kettle.boiled", "kettle:copper") == tuple(
        document[name] for name in ("specversion", "id", "source", "type", "subject")
    )
    assert "urn:metastore:event:kettle.boiled:2" == document["dataschema"]
    assert all(name.isalnum() and name == name.lower() for name in document)


def test_any_text_travels() -> None:
    """Names with characters of every kind, and halves of some, arrive as they were."""
    sent = replace(event(), payload={"name": 'tệp "ảnh" 🫖 \ud83d \u2028'})
    assert sent == decode(encode(sent))


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b"\xff", b'{"specversion":"0.3","data":{}}'])
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(NotAnEventError):
        decode(body)
