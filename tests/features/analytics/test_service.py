"""The analytics service: every event is counted once, on its day."""

import asyncio
import random
from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from metastore.features.analytics.consumers import consumers
from metastore.features.analytics.schemas import AnalyticsOut, AnalyticsQuery
from metastore.features.analytics.service import AnalyticsService
from metastore.features.auth.events import SessionOpened, SessionRefused, UserRegistered
from metastore.features.files.events import FileDownloaded, FilePurged, FileUploaded, FolderCreated
from metastore.kit.database.unit_of_work import Database
from metastore.kit.events.event import Event
from metastore.kit.events.outbox import RecordedEvent
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem
from metastore.processes.consumers import handler_of

MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANALYTICS = AnalyticsService(lambda: MONDAY)


def happened(event: Event, day: int = 23, actor: str = "anna") -> RecordedEvent:
    """Return the event as recorded on a day in November."""
    payload = event.model_dump(mode="json", by_alias=True)
    moment = MONDAY.replace(day=day)
    return RecordedEvent(new_id(), event.event_type, event.aggregate(), payload, {"actorId": actor}, moment)


def uploaded(size: int, owner: str = "anna") -> Event:
    """Return ``file.uploaded``."""
    return FileUploaded(
        file_id=new_id(), owner_id=owner, name="a", path="/a", size=size, mime_type="text/plain", object_key="k"
    )


def purged(size: int, status: str = "READY") -> Event:
    """Return ``file.purged``."""
    return FilePurged(file_id=new_id(), owner_id="anna", name="a", size=size, status=status, object_key="k")


async def count(database: Database, *events: RecordedEvent) -> None:
    """Handle the events with the feature's consumer."""
    (consumer,) = consumers(ANALYTICS)
    for event in events:
        await handler_of(consumer, database)(event)


async def report(database: Database, **query: object) -> AnalyticsOut:
    """Return the report on a period."""
    async with database.reading() as tx:
        return await ANALYTICS.report(tx, AnalyticsQuery.model_validate(query))


async def test_a_day_counts_its_events(database: Database) -> None:
    await count(
        database,
        happened(UserRegistered(user_id="anna", username="anna", role="USER", by="registration")),
        happened(SessionOpened(user_id="anna", session_id=new_id())),
        happened(SessionRefused(username="ann", user_id=None, reason="unknown-user")),
        happened(uploaded(5 * 2**40)),
        happened(uploaded(7, owner="ben")),
        happened(FileDownloaded(file_id=new_id(), owner_id="ben", name="a", size=7), actor="cleo"),
        happened(purged(7)),
        happened(purged(9, "UPLOADING")),
        happened(FolderCreated(folder_id=new_id(), owner_id="anna", name="a", parent_id=None)),
    )
    (day,) = (await report(database, since=MONDAY.date())).days
    assert day.model_dump(by_alias=True) == {
        "day": MONDAY.date(),
        "uploads": 2,
        "uploadedBytes": 5 * 2**40 + 7,
        "downloads": 1,
        "downloadedBytes": 7,
        "deletions": 1,
        "deletedBytes": 7,
        "signIns": 1,
        "refusedSignIns": 1,
        "newUsers": 1,
        "activeUsers": 3,
    }


async def test_redelivered_and_reordered_events_are_counted_once(database: Database) -> None:
    events = [happened(uploaded(n), day=20 + n % 3) for n in range(10)]
    await count(database, *events)
    before = await report(database)
    random.Random(1).shuffle(events)
    await count(database, *events)
    assert before == await report(database)
    assert (10, 45) == (before.totals.uploads, before.totals.uploaded_bytes)


async def test_concurrent_events_are_all_counted(database: Database) -> None:
    await asyncio.gather(*(count(database, happened(uploaded(1), actor="anna")) for _ in range(20)))
    (day,) = (await report(database, since=MONDAY.date())).days
    assert (20, 20, 1) == (day.uploads, day.uploaded_bytes, day.active_users)


async def test_every_day_of_a_period_is_reported(database: Database) -> None:
    """Including days without events, and both ends."""
    await count(database, happened(uploaded(1), day=20), happened(uploaded(2), day=22), happened(uploaded(4), day=23))
    shown = await report(database, since=date(2026, 11, 19), until=date(2026, 11, 22))
    assert [0, 1, 0, 1] == [day.uploads for day in shown.days]
    assert 3 == shown.totals.uploaded_bytes
    body = shown.model_dump(mode="json", by_alias=True)
    assert ("2026-11-19", "2026-11-22") == (body["from"], body["to"])


async def test_the_last_thirty_days_are_the_default(database: Database) -> None:
    shown = await report(database)
    assert (date(2026, 10, 25), date(2026, 11, 23), 30) == (shown.first_day, shown.last_day, len(shown.days))
    shown = await report(database, until="2026-01-30T23:30:00-05:00")
    assert (date(2026, 1, 2), date(2026, 1, 31)) == (shown.first_day, shown.last_day)


@pytest.mark.parametrize(
    "query",
    [
        {"since": "2026-11-23", "until": "2026-11-22"},
        {"since": "2020-01-01", "until": "2021-01-01"},
        {"since": "0001-01-01"},
    ],
)
async def test_invalid_periods_are_rejected(database: Database, query: dict[str, str]) -> None:
    with pytest.raises(Problem, match="validation-failed"):
        await report(database, **query)


def test_a_time_beyond_the_calendar_is_rejected() -> None:
    with pytest.raises(ValidationError, match="calendar"):
        AnalyticsQuery.model_validate({"until": "0001-01-01T01:00:00+14:00"})


@pytest.mark.parametrize("end", ["0001-01-01", "9999-12-31"])
async def test_the_first_and_last_day_of_the_calendar_are_valid(database: Database, end: str) -> None:
    assert 0 == (await report(database, until=end)).totals.uploads
