"""URLs of archives hold the selection, and cannot be forged."""

import pytest

from metastore.features.archives.urls import MAX_ITEMS, PREFIX, ArchiveUrls
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem
from tests.fixtures.clocks import SettableClock

OWNER, KEY = new_id(), b"k" * 32


@pytest.fixture
def clock() -> SettableClock:
    """A clock that stands still."""
    return SettableClock()


@pytest.fixture
def urls(clock: SettableClock) -> ArchiveUrls:
    """URLs that live for at least a minute."""
    return ArchiveUrls(KEY, 60, clock)


def token_of(urls: ArchiveUrls, ids: list[str]) -> str:
    return urls.url(urls.select(OWNER, ids, 1000)).removeprefix(PREFIX)


def test_a_url_holds_the_selection(urls: ArchiveUrls) -> None:
    ids = [new_id() for _ in range(3)]
    selection = urls.verify(token_of(urls, ids))
    assert (selection.owner_id, selection.node_ids) == (OWNER, tuple(ids))
    assert selection.expires_at == selection.created_at + 60


def test_the_longest_url_fits_into_what_proxies_accept(urls: ArchiveUrls) -> None:
    url = f"GET {PREFIX}{token_of(urls, [new_id() for _ in range(MAX_ITEMS)])} HTTP/1.1"
    assert len(url) < 8000


def test_a_url_lives_long_enough_for_a_slow_download(urls: ArchiveUrls, clock: SettableClock) -> None:
    """At a mebibyte a second, up to a week."""
    token = urls.url(urls.select(OWNER, [new_id()], 1000 * 2**20)).removeprefix(PREFIX)
    clock.forward(999)
    urls.verify(token)
    assert urls.select(OWNER, [], 2**60).expires_at - int(clock.now.timestamp()) == 7 * 24 * 3600


def test_an_expired_url_is_refused_to_the_second(urls: ArchiveUrls, clock: SettableClock) -> None:
    token = token_of(urls, [new_id()])
    clock.forward(59)
    urls.verify(token)
    clock.forward(1)
    with pytest.raises(Problem, match="403 url-expired"):
        urls.verify(token)


def test_a_changed_token_is_not_found(urls: ArchiveUrls, clock: SettableClock) -> None:
    token = token_of(urls, [new_id()])
    wrong = [
        "",
        "x",
        "a" * 400,
        "ü",
        token[:-1],
        token + "=",
        token + "A",
        token[:-1] + chr(ord(token[-1]) ^ 1),
        *(token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token))),
        token_of(ArchiveUrls(b"j" * 32, 60, clock), [new_id()]),
    ]
    for each in wrong:
        with pytest.raises(Problem, match="404 not-found"):
            urls.verify(each)
