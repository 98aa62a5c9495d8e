"""Pauses between retries grow, up to a limit."""

from metastore.kit.backoff import backoff


def test_the_pause_doubles_with_each_failure_up_to_its_limit() -> None:
    assert [0.2, 0.4, 0.8, 1.0, 1.0] == [backoff(failures, 1.0) for failures in range(1, 6)]


def test_an_outage_of_days_does_not_overflow() -> None:
    assert 5.0 == backoff(1_000_000, 5.0)
