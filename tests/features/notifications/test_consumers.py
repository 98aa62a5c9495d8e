"""Owners are notified of damage to their files."""

import pytest

from metastore.features.files.events import FileDamaged, FileRecovered
from metastore.features.notifications.consumers import consumers
from metastore.features.notifications.service import NotificationsService
from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Database
from metastore.kit.events.event import Event
from metastore.kit.events.outbox import RecordedEvent
from metastore.kit.ids import new_id
from tests.fixtures.accounts import add_user
from tests.fixtures.recording_realtime import RecordingRealtime


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (FileDamaged, "The stored bytes of “a.txt” were lost or changed. It cannot be downloaded."),
        (FileRecovered, "“a.txt” is intact again."),
    ],
)
async def test_owners_are_notified_of_damage_and_recovery(database: Database, kind: type[Event], message: str) -> None:
    owner, realtime = await add_user(database), RecordingRealtime()
    notifications = NotificationsService(realtime, utc_now)
    handlers = consumers(notifications, realtime)[0].in_batches
    about = {"fileId": new_id(), "ownerId": owner, "name": "a.txt", "reason": "half of it is gone"}
    event = RecordedEvent(new_id(), kind.event_type, "file:x", {**about}, {}, utc_now())
    async with database.transaction() as tx:
        await handlers[kind.event_type](tx, [event])
    async with database.reading() as tx:
        page = await notifications.page(tx, owner, unread=False, limit=10, cursor=None)
    assert [message] == [item.message for item in page.items]


async def test_owners_are_notified_of_accesses_to_their_links_when_that_is_due(database: Database) -> None:
    """Sharing decides how often: at most once an hour for a link."""
    owner, realtime = await add_user(database), RecordingRealtime()
    notifications = NotificationsService(realtime, utc_now)
    handlers = consumers(notifications, realtime)[0].in_batches
    about = {"linkId": new_id(), "ownerId": owner, "nodeId": new_id(), "name": "album", "visitorId": new_id()}
    events = [
        RecordedEvent(
            new_id(), "share.accessed", "share:x", {**about, "accessCount": count, "notify": due}, {}, utc_now()
        )
        for count, due in ((7, True), (8, False))
    ]
    async with database.transaction() as tx:
        await handlers["share.accessed"](tx, events)
        await handlers["share.guessed"](
            tx, [RecordedEvent(new_id(), "share.guessed", "share:x", {**about}, {}, utc_now())]
        )
    async with database.reading() as tx:
        page = await notifications.page(tx, owner, unread=False, limit=10, cursor=None)
    assert [
        "Somebody guesses the password of your link to “album”. It stops them for now.",
        "Your link to “album” was opened. Times so far: 7.",
    ] == [item.message for item in page.items]
