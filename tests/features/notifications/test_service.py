"""What a user is told: once an event, saved first and then sent, and marked as read."""

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
from metastore.kit.database import Database
from metastore.kit.facts import Fact
from metastore.kit.ids import new_id
from metastore.kit.inbox import prune
from metastore.kit.outbox import RecordedEvent
from metastore.kit.problem import Problem
from metastore.ports.event_bus import Handler
from metastore.processes.consumers import handler_of
from tests.fixtures.accounts import add_user
from tests.fixtures.clocks import SettableClock
from tests.fixtures.radio import Radio


class Desk:
    """The notifications feature with a radio instead of sockets."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.radio = Radio()
        self.clock = SettableClock()
        self.service = NotificationsService(self.radio, self.clock)

    def handler(self, consumer: str) -> Handler:
        """What the bus would call."""
        found = next(c for c in consumers(self.service, self.radio) if c.name == consumer)
        return handler_of(found, self.database)

    async def tell(self, user_id: str, count: int = 1) -> None:
        """Have that many of the user's files get ready."""
        for number in range(count):
            await self.handler("notifications")(file_ready(user_id, f"{number}.txt"))

    async def page(
        self, user_id: str, *, unread: bool = False, limit: int = 50, cursor: str | None = None
    ) -> NotificationPage:
        """A page of the user's notifications."""
        async with self.database.reading() as tx:
            return await self.service.page(tx, user_id, unread=unread, limit=limit, cursor=cursor)


def as_event(fact: Fact) -> RecordedEvent:
    """The fact as the bus delivers it."""
    row = fact.outbox_row()
    return RecordedEvent(row.id, row.event_type, row.aggregate, row.payload, row.headers, row.created_at)


def file_ready(user_id: str, name: str = "film.mp4") -> RecordedEvent:
    """A file of the user can be used."""
    return as_event(
        FileReady(file_id=new_id(), owner_id=user_id, name=name, path=f"/{name}", size=5, mime_type="video/mp4")
    )


@pytest.fixture
def desk(database: Database) -> Desk:
    """The feature on the test's database."""
    return Desk(database)


async def test_a_ready_file_is_announced_to_its_owner(desk: Desk) -> None:
    """The notification is saved, and sent to the owner's sockets in the form that the API shows."""
    anna = await add_user(desk.database)
    event = file_ready(anna)
    await desk.handler("notifications")(event)
    (saved,) = (await desk.page(anna)).items
    assert "file.ready" == saved.type
    assert "“film.mp4” is ready." == saved.message
    assert {
        "fileId": event.payload["fileId"],
        "name": "film.mp4",
        "path": "/film.mp4",
        "size": 5,
        "mimeType": "video/mp4",
    } == saved.payload
    assert [(anna, "notification", saved.model_dump(mode="json", by_alias=True))] == desk.radio.sent
    assert {"id", "userId", "type", "message", "payload", "readAt", "createdAt"} == saved.model_dump(
        by_alias=True
    ).keys()


async def test_an_event_delivered_twice_tells_the_user_once(desk: Desk) -> None:
    """Neither the list nor the sockets see a notification twice."""
    anna = await add_user(desk.database)
    event = file_ready(anna)
    for _ in range(3):
        await desk.handler("notifications")(event)
    assert 1 == len((await desk.page(anna)).items) == len(desk.radio.sent)


async def test_an_event_that_the_inbox_forgot_tells_the_user_once(desk: Desk) -> None:
    """A broker may deliver what was handled long ago: nobody hears of it again, and it is no failure."""
    anna = await add_user(desk.database)
    event = file_ready(anna)
    await desk.handler("notifications")(event)
    async with desk.database.transaction() as tx:
        assert 1 == await prune(tx, utc_now() + timedelta(days=1), 10)
    await desk.handler("notifications")(event)
    assert 1 == len((await desk.page(anna)).items) == len(desk.radio.sent)


async def test_a_notification_is_saved_even_when_it_cannot_be_sent(desk: Desk) -> None:
    """Sockets are a convenience: without them the user finds the notification in the list."""
    anna = await add_user(desk.database)
    desk.radio.broken = True
    await desk.handler("notifications")(file_ready(anna))
    assert 1 == (await desk.page(anna)).unread_count


async def test_nothing_is_sent_when_saving_fails(desk: Desk) -> None:
    """A notification that is not saved does not appear on screens either."""
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await desk.handler("notifications")(file_ready(new_id()))
    assert not desk.radio.sent


async def test_the_end_of_a_session_closes_its_sockets(desk: Desk) -> None:
    """Signing out reaches open sockets; when closing fails, the event is tried again."""
    event = as_event(SessionRevoked(user_id="anna", session_id="session-1", reason="signed-out"))
    desk.radio.broken = True
    with pytest.raises(ConnectionError):
        await desk.handler("sockets")(event)
    desk.radio.broken = False
    await desk.handler("sockets")(event)
    assert ["session:session-1"] == desk.radio.closed


async def test_lists_go_on_by_cursor_latest_first(desk: Desk) -> None:
    """Pages follow each other without gap or repetition, also when new notifications come in between."""
    anna = await add_user(desk.database)
    await desk.tell(anna, 5)
    first = await desk.page(anna, limit=2)
    await desk.tell(anna)
    second = await desk.page(anna, limit=2, cursor=first.next_cursor)
    third = await desk.page(anna, limit=2, cursor=second.next_cursor)
    names = [item.payload["name"] for page in (first, second, third) for item in page.items]
    assert ["4.txt", "3.txt", "2.txt", "1.txt", "0.txt"] == names
    assert third.next_cursor is None


async def test_a_page_that_ends_the_list_exactly_has_no_next(desk: Desk) -> None:
    """There is no cursor to an empty page."""
    anna = await add_user(desk.database)
    await desk.tell(anna, 2)
    assert (await desk.page(anna, limit=2)).next_cursor is None


@pytest.mark.parametrize("cursor", ["", "rubbish", "WzFd", "WyIiXQ", "WyJcdTAwMDAiXQ"])
async def test_a_forged_cursor_is_refused(desk: Desk, cursor: str) -> None:
    """A cursor that no list gave out is 422, whatever is in it."""
    with pytest.raises(Problem) as refused:
        await desk.page("anna", cursor=cursor)
    assert (422, "invalid-cursor") == (refused.value.status, refused.value.code)


async def test_reading_marks_one_and_keeps_the_first_time(desk: Desk) -> None:
    """A notification is read once; reading it again changes nothing."""
    anna = await add_user(desk.database)
    await desk.tell(anna, 2)
    target = (await desk.page(anna)).items[0]
    async with desk.database.transaction() as tx:
        once = await desk.service.read(tx, anna, target.id)
    desk.clock.forward(60)
    async with desk.database.transaction() as tx:
        twice = await desk.service.read(tx, anna, target.id)
    assert once.read_at == twice.read_at is not None
    unread = await desk.page(anna, unread=True)
    assert 1 == unread.unread_count == len(unread.items)
    assert 2 == len((await desk.page(anna)).items)


@pytest.mark.parametrize("notification_id", ["nonsense", "\0", "0190a000-0000-7000-8000-000000000000"])
async def test_reading_what_is_not_there_is_not_found(desk: Desk, notification_id: str) -> None:
    """Unknown and malformed ids are 404, and no offence."""
    async with desk.database.transaction() as tx:
        with pytest.raises(Problem) as refused:
            await desk.service.read(tx, "anna", notification_id)
    assert (404, False) == (refused.value.status, refused.value.refused)


async def test_somebody_elses_notification_is_not_found_and_stays_unread(desk: Desk) -> None:
    """It is 404 like one that is not there; only the audit trail knows better."""
    anna, ben = await add_user(desk.database), await add_user(desk.database)
    await desk.tell(anna)
    target = (await desk.page(anna)).items[0]
    async with desk.database.transaction() as tx:
        with pytest.raises(Problem) as refused:
            await desk.service.read(tx, ben, target.id)
    assert (404, True) == (refused.value.status, refused.value.refused)
    assert 1 == (await desk.page(anna)).unread_count


async def test_reading_all_leaves_other_users_alone(desk: Desk) -> None:
    """Everything of the caller's is read, and nothing of anybody else's."""
    anna, ben = await add_user(desk.database), await add_user(desk.database)
    await desk.tell(anna, 3)
    await desk.tell(ben)
    async with desk.database.transaction() as tx:
        assert 3 == (await desk.service.read_all(tx, anna)).updated
    async with desk.database.transaction() as tx:
        assert 0 == (await desk.service.read_all(tx, anna)).updated
    assert 0 == (await desk.page(anna)).unread_count
    assert 1 == (await desk.page(ben)).unread_count


async def test_deliveries_at_the_same_time_tell_the_user_once(desk: Desk) -> None:
    """Two processes that handle one event at once save and send one notification."""
    anna = await add_user(desk.database)
    event = file_ready(anna)
    await asyncio.gather(*(desk.handler("notifications")(event) for _ in range(5)))
    async with desk.database.reading() as tx:
        assert 1 == await tx.session.scalar(select(func.count()).select_from(Notification))
    assert 1 == len(desk.radio.sent)


async def test_every_type_has_a_sentence() -> None:
    """Known types are told in plain English; braces in names stay what they are, and unknown types are named."""
    assert "“{name}.txt” is ready." == message_of("file.ready", {"name": "{name}.txt"})
    assert "“a.mp4” did not become ready. It is empty." == message_of(
        "file.failed", {"name": "a.mp4", "reason": "It is empty."}
    )
    assert "kettle.boiled" == message_of("kettle.boiled", {})
