"""Absolute URLs in responses."""

from metastore.kit.context import RequestContext, absolute, all_absolute, open_context

PATH, ELSEWHERE = "/objects/files/1", "https://s3.example.org/files/1"


def test_a_path_gets_the_origin_that_the_client_used() -> None:
    """URLs that have an origin, such as those of another object store, keep it."""
    with open_context(RequestContext("request-1", origin="https://drive.example.org")):
        assert absolute(PATH) == f"https://drive.example.org{PATH}"
        assert absolute(ELSEWHERE) == ELSEWHERE
        assert all_absolute([PATH, ELSEWHERE]) == [absolute(PATH), absolute(ELSEWHERE)]


def test_a_path_stays_one_outside_of_a_request() -> None:
    assert absolute(PATH) == PATH
    assert all_absolute([PATH, ELSEWHERE]) == [PATH, ELSEWHERE]
