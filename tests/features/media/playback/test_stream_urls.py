"""The URL of a stream contains a token that grants access to one file, and to nothing else."""

import pytest

from metastore.features.files.representation.stream_urls import StreamUrls
from metastore.kit.context import RequestContext, open_context
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem
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
    """Return the token in a URL."""
    return url.rpartition("/streams/")[2].partition("/")[0]


def refusal(urls: StreamUrls, token: str) -> tuple[int, str]:
    """Return the status and code that a token is refused with."""
    with pytest.raises(Problem) as refused:
        urls.verify_token(token)
    return refused.value.status, refused.value.code


def test_a_token_grants_access_to_its_file(urls: StreamUrls) -> None:
    """It contains the file's id, and no link."""
    file_id = new_id()
    opened = urls.verify_token(token_in(urls.master_playlist_url(file_id)))
    assert (file_id, None) == (opened.file_id, opened.link_id)


def test_a_token_contains_the_share_link_that_granted_access(urls: StreamUrls) -> None:
    """So that the link can be checked again with each request."""
    file_id, link_id = new_id(), new_id()
    opened = urls.verify_token(token_in(urls.stream_base_url(file_id, link_id=link_id)))
    assert (file_id, link_id) == (opened.file_id, opened.link_id)


def test_urls_start_with_the_origin_of_the_request(urls: StreamUrls) -> None:
    """Players may run on other origins."""
    with open_context(RequestContext("r1", origin="https://drive.example.org")):
        url = urls.master_playlist_url(new_id())
    assert url.startswith("https://drive.example.org/api/v1/streams/")
    assert url.endswith("/master.m3u8")


def test_a_url_stays_the_same_for_a_quarter_of_its_lifetime(urls: StreamUrls, clock: SettableClock) -> None:
    """In every process with the same key. Then it changes, and the old one remains valid for a while."""
    file_id = new_id()
    clock.forward(HOUR / 4 - clock().timestamp() % (HOUR / 4))
    first = urls.master_playlist_url(file_id)
    assert HOUR / 4 == urls.keep_seconds(HOUR)
    clock.forward(HOUR / 4 - 1)
    assert first == StreamUrls(KEY, HOUR, clock).master_playlist_url(file_id)
    assert 1 == urls.keep_seconds(HOUR)
    clock.forward(1)
    assert first != urls.master_playlist_url(file_id)
    clock.forward(HOUR / 2)
    assert file_id == urls.verify_token(token_in(first)).file_id


def test_tokens_expire(urls: StreamUrls, clock: SettableClock) -> None:
    """That is not recorded in the audit trail, since players keep retrying."""
    token = token_in(urls.master_playlist_url(new_id()))
    clock.forward(HOUR)
    with pytest.raises(Problem) as refused:
        urls.verify_token(token)
    assert (403, "url-expired", False) == (refused.value.status, refused.value.code, refused.value.refused)


def test_the_lifetime_is_long_enough_to_play_long_videos(urls: StreamUrls) -> None:
    """Players load a playlist once, at the start."""
    minute = 60_000
    assert HOUR == urls.lifetime(None) == urls.lifetime(minute) == urls.lifetime(30 * minute)
    assert 6 * HOUR == urls.lifetime(180 * minute)
    assert 7 * 24 * HOUR == urls.lifetime(100_000 * minute)


def test_a_short_configured_lifetime_is_not_exceeded(clock: SettableClock) -> None:
    urls = StreamUrls(KEY, 5, clock)
    assert 5 == urls.lifetime(600_000)
    token = token_in(urls.master_playlist_url(new_id()))
    clock.forward(5)
    assert (403, "url-expired") == refusal(urls, token)


def test_a_modified_token_grants_nothing(urls: StreamUrls) -> None:
    """The MAC covers every character and the length."""
    token = token_in(urls.master_playlist_url(new_id()))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for at in range(len(token)):
        for letter in letters[:: 7 if at < len(token) - 1 else 1]:
            if letter != token[at]:
                assert (404, "not-found") == refusal(urls, token[:at] + letter + token[at + 1 :])
    for other in ("", "A", token[:-1], token + "A", token + "=", token * 2, "é", "%00", "a b", "=" * 8, "A" * 5000):
        assert (404, "not-found") == refusal(urls, other)


def test_a_token_of_another_installation_grants_nothing(urls: StreamUrls, clock: SettableClock) -> None:
    """Each has a key of its own."""
    token = token_in(StreamUrls(b"x" * 32, HOUR, clock).master_playlist_url(new_id()))
    assert (404, "not-found") == refusal(urls, token)
