"""The order of documents as numbers."""

from datetime import UTC, datetime, timedelta

from metastore.features.search.positions import FIRST, LAST, SLOTS, first_position, free_position

_NOW = datetime(2026, 11, 29, 1, 2, 3, 456789, tzinfo=UTC)


def test_later_changes_have_larger_positions() -> None:
    last_of_this = first_position(_NOW) + SLOTS - 1
    assert first_position(_NOW - timedelta(microseconds=1)) < last_of_this
    assert last_of_this + 1 == first_position(_NOW + timedelta(microseconds=1))


def test_changes_of_the_same_microsecond_have_different_positions() -> None:
    taken: set[int] = set()
    for _ in range(SLOTS + 3):
        taken.add(free_position(_NOW, taken))
    assert taken == set(range(first_position(_NOW), first_position(_NOW) + SLOTS + 3))


def test_every_moment_of_the_calendar_has_a_position() -> None:
    for moment in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        assert FIRST <= first_position(moment) <= LAST
