"""Addresses of streams hold their own permission, and nothing beyond it."""

import pytest

from metastore.features.files.stream_urls import StreamUrls
from metastore.kit.context import RequestContext, open_context
from metastore.kit.ids import new_id
from metastore.kit.problem import Problem
from tests.fixtures.clocks import SettableClock

KEY = b"k" * 32
HOUR = 3600


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def urls(clock: SettableClock) -> StreamUrls:
    return StreamUrls(KEY, HOUR, clock)


def token_in(url: str) -> str:
    """The token of an address."""
    return url.rpartition("/streams/")[2].partition("/")[0]


def refusal(urls: StreamUrls, token: str) -> tuple[int, str]:
    """How a token is refused."""
    with pytest.raises(Problem) as refused:
        urls.opened(token)
    return refused.value.status, refused.value.code


def test_an_address_opens_the_file_that_it_was_made_for(urls: StreamUrls) -> None:
    """Its id, and no link."""
    file_id = new_id()
    opened = urls.opened(token_in(urls.master_of(file_id)))
    assert (file_id, None) == (opened.file_id, opened.link_id)


def test_an_address_tells_which_link_gave_the_permission(urls: StreamUrls) -> None:
    """So that what the link allows can be asked again."""
    file_id, link_id = new_id(), new_id()
    opened = urls.opened(token_in(urls.base_of(file_id, link_id=link_id)))
    assert (file_id, link_id) == (opened.file_id, opened.link_id)


def test_addresses_begin_with_the_origin_that_was_asked(urls: StreamUrls) -> None:
    """Players may be anywhere."""
    with open_context(RequestContext("r1", origin="https://drive.example.org")):
        url = urls.master_of(new_id())
    assert url.startswith("https://drive.example.org/api/v1/streams/")
    assert url.endswith("/master.m3u8")


def test_an_address_is_the_same_for_a_quarter_of_its_time(urls: StreamUrls, clock: SettableClock) -> None:
    """In every process that has the key; then there is a new one, and the old one holds for a while."""
    file_id = new_id()
    clock.forward(HOUR / 4 - clock().timestamp() % (HOUR / 4))
    first = urls.master_of(file_id)
    assert HOUR / 4 == urls.keep_seconds(HOUR)
    clock.forward(HOUR / 4 - 1)
    assert first == StreamUrls(KEY, HOUR, clock).master_of(file_id)
    assert 1 == urls.keep_seconds(HOUR)
    clock.forward(1)
    assert first != urls.master_of(file_id)
    clock.forward(HOUR / 2)
    assert file_id == urls.opened(token_in(first)).file_id


def test_addresses_expire(urls: StreamUrls, clock: SettableClock) -> None:
    """And that is nothing to write into the audit trail, as players go on asking."""
    token = token_in(urls.master_of(new_id()))
    clock.forward(HOUR)
    with pytest.raises(Problem) as refused:
        urls.opened(token)
    assert (403, "url-expired", False) == (refused.value.status, refused.value.code, refused.value.refused)


def test_long_films_can_be_seen_to_their_end(urls: StreamUrls) -> None:
    """A playlist is asked for once, at the beginning."""
    minute = 60_000
    assert HOUR == urls.lifetime(None) == urls.lifetime(minute) == urls.lifetime(30 * minute)
    assert 6 * HOUR == urls.lifetime(180 * minute)
    assert 7 * 24 * HOUR == urls.lifetime(100_000 * minute)


def test_what_an_operator_wants_short_stays_short(clock: SettableClock) -> None:
    """Clips expire when they are told to."""
    urls = StreamUrls(KEY, 5, clock)
    assert 5 == urls.lifetime(600_000)
    token = token_in(urls.master_of(new_id()))
    clock.forward(5)
    assert (403, "url-expired") == refusal(urls, token)


def test_no_other_spelling_opens_anything(urls: StreamUrls) -> None:
    """Every character is bound, and so is the length."""
    token = token_in(urls.master_of(new_id()))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for at in range(len(token)):
        for letter in letters[:: 7 if at < len(token) - 1 else 1]:
            if letter != token[at]:
                assert (404, "not-found") == refusal(urls, token[:at] + letter + token[at + 1 :])
    for other in ("", "A", token[:-1], token + "A", token + "=", token * 2, "é", "%00", "a b", "=" * 8, "A" * 5000):
        assert (404, "not-found") == refusal(urls, other)


def test_another_key_opens_nothing(urls: StreamUrls, clock: SettableClock) -> None:
    """Each installation has its own."""
    token = token_in(StreamUrls(b"x" * 32, HOUR, clock).master_of(new_id()))
    assert (404, "not-found") == refusal(urls, token)
