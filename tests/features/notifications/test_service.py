"""The notifications service: one notification per event, stored first, then sent."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from metastore.features.auth.events import SessionRevoked
from metastore.features.files.events import FileReady
from metastore.features.notifications.consumers import consumers
from metastore.features.notifications.messages import message_of
from metastore.features.notifications.models import Notification
from metastore.features.notifications.schemas import NotificationPage
from metastore.features.notifications.service import NotificationsService
from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Database
from metastore.kit.events.event import Event
from metastore.kit.events.inbox import prune
from metastore.kit.events.outbox import OutboxEvent, RecordedEvent
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem
from metastore.ports.event_bus import Handler
from metastore.processes.consumers import handler_of
from tests.fixtures.accounts import add_user
from tests.fixtures.clocks import SettableClock
from tests.fixtures.recording_realtime import RecordingRealtime


class NotificationsFixture:
    """The notifications feature with recorded instead of real sockets."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.realtime = RecordingRealtime()
        self.clock = SettableClock()
        self.service = NotificationsService(self.realtime, self.clock)

    def handler(self, consumer: str) -> Handler:
        """Return the handler that the event bus would call."""
        found = next(c for c in consumers(self.service, self.realtime) if c.name == consumer)
        return handler_of(found, self.database)

    async def mark_ready(self, user_id: str, count: int = 1) -> None:
        """Handle ``file.ready`` for this many of the user's files."""
        for number in range(count):
            await self.handler("notifications")(file_ready(user_id, f"{number}.txt"))

    async def page(
        self, user_id: str, *, unread: bool = False, limit: int = 50, cursor: str | None = None
    ) -> NotificationPage:
        """Return a page of the user's notifications."""
        async with self.database.reading() as tx:
            return await self.service.page(tx, user_id, unread=unread, limit=limit, cursor=cursor)


def as_event(event: Event) -> RecordedEvent:
    """Return the event as the bus delivers it."""
    row = OutboxEvent(**event.outbox_row())
    return RecordedEvent(row.id, row.event_type, row.aggregate, row.payload, row.headers, row.created_at)


def file_ready(user_id: str, name: str = "film.mp4") -> RecordedEvent:
    """Return ``file.ready`` for one of the user's files."""
    return as_event(
        FileReady(file_id=new_id(), owner_id=user_id, name=name, path=f"/{name}", size=5, mime_type="video/mp4")
    )


@pytest.fixture
def feature(database: Database) -> NotificationsFixture:
    """The feature on the test's database."""
    return NotificationsFixture(database)


async def test_the_owner_is_notified_of_a_ready_file(feature: NotificationsFixture) -> None:
    """The notification is stored, and sent to the owner's sockets as the API returns it."""
    anna = await add_user(feature.database)
    event = file_ready(anna)
    await feature.handler("notifications")(event)
    (saved,) = (await feature.page(anna)).items
    assert "file.ready" == saved.type
    assert "“film.mp4” is ready." == saved.message
    assert {
        "fileId": event.payload["fileId"],
        "name": "film.mp4",
        "path": "/film.mp4",
        "size": 5,
        "mimeType": "video/mp4",
    } == saved.payload
    assert [(anna, "notification", saved.model_dump(mode="json", by_alias=True))] == feature.realtime.sent
    assert {"id", "userId", "type", "message", "payload", "readAt", "createdAt"} == saved.model_dump(
        by_alias=True
    ).keys()


async def test_a_redelivered_event_causes_one_notification(feature: NotificationsFixture) -> None:
    """In the list and on the sockets."""
    anna = await add_user(feature.database)
    event = file_ready(anna)
    for _ in range(3):
        await feature.handler("notifications")(event)
    assert 1 == len((await feature.page(anna)).items) == len(feature.realtime.sent)


async def test_an_event_redelivered_after_its_inbox_entry_was_deleted_causes_one_notification(
    feature: NotificationsFixture,
) -> None:
    """Nothing is sent again, and it is no failure."""
    anna = await add_user(feature.database)
    event = file_ready(anna)
    await feature.handler("notifications")(event)
    async with feature.database.transaction() as tx:
        assert 1 == await prune(tx, utc_now() + timedelta(days=1), 10)
    await feature.handler("notifications")(event)
    assert 1 == len((await feature.page(anna)).items) == len(feature.realtime.sent)


async def test_a_notification_is_stored_even_if_it_cannot_be_sent(feature: NotificationsFixture) -> None:
    """The user finds it in the list."""
    anna = await add_user(feature.database)
    feature.realtime.broken = True
    await feature.handler("notifications")(file_ready(anna))
    assert 1 == (await feature.page(anna)).unread_count


async def test_nothing_is_sent_if_storing_fails(feature: NotificationsFixture) -> None:
    """A notification is sent only after the commit."""
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await feature.handler("notifications")(file_ready(new_id()))
    assert not feature.realtime.sent


async def test_revoking_a_session_closes_its_sockets(feature: NotificationsFixture) -> None:
    """If closing fails, the event is retried."""
    event = as_event(SessionRevoked(user_id="anna", session_id="session-1", reason="signed-out"))
    feature.realtime.broken = True
    with pytest.raises(ConnectionError):
        await feature.handler("sockets")(event)
    feature.realtime.broken = False
    await feature.handler("sockets")(event)
    assert ["session:session-1"] == feature.realtime.closed


async def test_the_list_is_paged_by_cursor_latest_first(feature: NotificationsFixture) -> None:
    """No notification is repeated or left out, even if new ones are added between pages."""
    anna = await add_user(feature.database)
    await feature.mark_ready(anna, 5)
    first = await feature.page(anna, limit=2)
    await feature.mark_ready(anna)
    second = await feature.page(anna, limit=2, cursor=first.next_cursor)
    third = await feature.page(anna, limit=2, cursor=second.next_cursor)
    names = [item.payload["name"] for page in (first, second, third) for item in page.items]
    assert ["4.txt", "3.txt", "2.txt", "1.txt", "0.txt"] == names
    assert third.next_cursor is None


async def test_a_full_last_page_has_no_cursor(feature: NotificationsFixture) -> None:
    """There is no empty last page."""
    anna = await add_user(feature.database)
    await feature.mark_ready(anna, 2)
    assert (await feature.page(anna, limit=2)).next_cursor is None


@pytest.mark.parametrize("cursor", ["", "rubbish", "WzFd", "WyIiXQ", "WyJcdTAwMDAiXQ"])
async def test_a_forged_cursor_is_rejected(feature: NotificationsFixture, cursor: str) -> None:
    """The response is 422, whatever it contains."""
    with pytest.raises(Problem) as caught:
        await feature.page("anna", cursor=cursor)
    assert (422, "invalid-cursor") == (caught.value.status, caught.value.code)


async def test_marking_as_read_keeps_the_first_time(feature: NotificationsFixture) -> None:
    """Repeating it changes nothing."""
    anna = await add_user(feature.database)
    await feature.mark_ready(anna, 2)
    target = (await feature.page(anna)).items[0]
    async with feature.database.transaction() as tx:
        once = await feature.service.read(tx, anna, target.id)
    feature.clock.forward(60)
    async with feature.database.transaction() as tx:
        twice = await feature.service.read(tx, anna, target.id)
    assert once.read_at == twice.read_at is not None
    unread = await feature.page(anna, unread=True)
    assert 1 == unread.unread_count == len(unread.items)
    assert 2 == len((await feature.page(anna)).items)


@pytest.mark.parametrize("notification_id", ["nonsense", "\0", "0190a000-0000-7000-8000-000000000000"])
async def test_an_unknown_notification_is_not_found(feature: NotificationsFixture, notification_id: str) -> None:
    """Unknown and malformed IDs are 404 and are not recorded as refused access."""
    async with feature.database.transaction() as tx:
        with pytest.raises(Problem) as caught:
            await feature.service.read(tx, "anna", notification_id)
    assert (404, False) == (caught.value.status, caught.value.refused)


async def test_another_users_notification_is_not_found_and_stays_unread(feature: NotificationsFixture) -> None:
    """The response is the same 404, but the access is recorded as refused."""
    anna, ben = await add_user(feature.database), await add_user(feature.database)
    await feature.mark_ready(anna)
    target = (await feature.page(anna)).items[0]
    async with feature.database.transaction() as tx:
        with pytest.raises(Problem) as caught:
            await feature.service.read(tx, ben, target.id)
    assert (404, True) == (caught.value.status, caught.value.refused)
    assert 1 == (await feature.page(anna)).unread_count


async def test_marking_all_as_read_does_not_affect_other_users(feature: NotificationsFixture) -> None:
    """All notifications of the caller are marked."""
    anna, ben = await add_user(feature.database), await add_user(feature.database)
    await feature.mark_ready(anna, 3)
    await feature.mark_ready(ben)
    async with feature.database.transaction() as tx:
        assert 3 == (await feature.service.read_all(tx, anna)).updated
    async with feature.database.transaction() as tx:
        assert 0 == (await feature.service.read_all(tx, anna)).updated
    assert 0 == (await feature.page(anna)).unread_count
    assert 1 == (await feature.page(ben)).unread_count


async def test_concurrent_deliveries_cause_one_notification(feature: NotificationsFixture) -> None:
    """Two processes that handle one event at the same time store and send one notification."""
    anna = await add_user(feature.database)
    event = file_ready(anna)
    await asyncio.gather(*(feature.handler("notifications")(event) for _ in range(5)))
    async with feature.database.reading() as tx:
        assert 1 == await tx.session.scalar(select(func.count()).select_from(Notification))
    assert 1 == len(feature.realtime.sent)


async def test_every_type_has_a_message() -> None:
    """Braces in names are left alone, and an unknown type is returned as it is."""
    assert "“{name}.txt” is ready." == message_of("file.ready", {"name": "{name}.txt"})
    assert "“a.mp4” did not become ready. It is empty." == message_of(
        "file.failed", {"name": "a.mp4", "reason": "It is empty."}
    )
    assert "sample.recorded" == message_of("sample.recorded", {})
