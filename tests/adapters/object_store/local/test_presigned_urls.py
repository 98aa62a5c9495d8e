"""The signature of the embedded store's URLs covers every field."""

import time
from urllib.parse import urlsplit

import pytest

from metastore.adapters.object_store.local.presigned_urls import UrlSigner
from metastore.ports.object_store import UploadTarget
from metastore.ports.served_objects import InvalidSignatureError, PartGrant, UrlExpiredError

TARGET = UploadTarget("files/abc", "01a2", 25, 10)
NOW = 1_800_000_000.0


class Clock:
    """A clock that tests set."""

    now = NOW

    def __call__(self) -> float:
        """Return the Unix time."""
        return self.now


def split(url: str) -> tuple[str, bytes]:
    """Return path and raw query as the server sees them."""
    parts = urlsplit(url)
    return parts.path, parts.query.encode()


def test_a_part_url_carries_its_grant() -> None:
    """Key, upload, number, exact length and expiry."""
    signer = UrlSigner(b"k" * 32, now=Clock())
    [_, _, url] = signer.part_urls(TARGET, [1, 2, 3], 60)
    assert PartGrant("files/abc", "01a2", 3, 5, int(NOW) + 60) == signer.part_grant(*split(url))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("n=1", "n=2"),
        ("l=10", "l=11"),
        ("u=01a2", "u=01a3"),
        ("e=18", "e=19"),
        ("files/abc", "files/abd"),
        ("&s=", "&s=A"),
    ],
)
def test_an_altered_part_url_is_rejected(old: str, new: str) -> None:
    """The signature covers each field."""
    signer = UrlSigner(b"k" * 32, now=Clock())
    [url] = signer.part_urls(TARGET, [1], 60)
    assert old in url
    with pytest.raises(InvalidSignatureError):
        signer.part_grant(*split(url.replace(old, new)))


@pytest.mark.parametrize("query", [b"", b"s=", b"&s=", b"u=1&n=1&l=1&e=1", b"\xff\xfe&s=abc", b"u=1&s=\xff"])
def test_malformed_queries_are_rejected(query: bytes) -> None:
    """All of them raise the same error."""
    signer = UrlSigner(b"k" * 32, now=Clock())
    with pytest.raises(InvalidSignatureError):
        signer.part_grant("/objects/files/abc", query)
    with pytest.raises(InvalidSignatureError):
        signer.read_grant("/objects/fil\u00e9s", query)


def test_a_url_is_valid_for_its_method_only() -> None:
    """The signature covers the method."""
    signer = UrlSigner(b"k" * 32, now=Clock())
    [put] = signer.part_urls(TARGET, [1], 60)
    get = signer.read_url("files/abc", "attachment", "text/plain", 60)
    with pytest.raises(InvalidSignatureError):
        signer.read_grant(*split(put))
    with pytest.raises(InvalidSignatureError):
        signer.part_grant(*split(get))


def test_a_url_signed_with_another_key_is_rejected() -> None:
    url = UrlSigner(b"k" * 32, now=Clock()).read_url("files/abc", "attachment", "text/plain", 60)
    with pytest.raises(InvalidSignatureError):
        UrlSigner(b"j" * 32, now=Clock()).read_grant(*split(url))


def test_a_cached_url_still_expires() -> None:
    """The expiry is checked again on each request."""
    clock = Clock()
    signer = UrlSigner(b"k" * 32, now=clock)
    url = signer.read_url("files/abc", "attachment", "text/plain", 60)
    signer.read_grant(*split(url))
    clock.now = NOW + 60
    with pytest.raises(UrlExpiredError):
        signer.read_grant(*split(url))


def test_file_names_and_types_round_trip_in_any_script() -> None:
    """They are encoded as base64url."""
    signer = UrlSigner(b"k" * 32, "https://objects.example.org", now=Clock())
    url = signer.read_url("files/abc", "attachment; filename*=UTF-8''%E6%9C%80", "text/plain; charset=utf-8", 60)
    assert url.startswith("https://objects.example.org/objects/files/abc?")
    grant = signer.read_grant(*split(url))
    assert ("attachment; filename*=UTF-8''%E6%9C%80", "text/plain; charset=utf-8") == (
        grant.disposition,
        grant.content_type,
    )


def test_ten_thousand_urls_take_a_fraction_of_a_second() -> None:
    """The URLs of the largest upload do not block the event loop for long (about 40 ms)."""
    signer = UrlSigner(b"k" * 32)
    target = UploadTarget("files/abc", "01a2", 10_000 * 5, 5)
    began = time.process_time()
    assert 10_000 == len(signer.part_urls(target, range(1, 10_001), 60))
    assert time.process_time() - began < 0.5
