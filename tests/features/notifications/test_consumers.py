"""Owners are notified of damage to their files."""

import pytest

from metastore.features.files.events import FileDamaged, FileRecovered
from metastore.features.notifications.consumers import consumers
from metastore.features.notifications.service import NotificationsService
from metastore.kit.clock import utc_now
from metastore.kit.database import Database
from metastore.kit.facts import Fact
from metastore.kit.ids import new_id
from metastore.kit.outbox import RecordedEvent
from tests.fixtures.accounts import add_user
from tests.fixtures.radio import Radio


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (FileDamaged, "The stored bytes of “a.txt” were lost or changed. It cannot be downloaded."),
        (FileRecovered, "“a.txt” is intact again."),
    ],
)
async def test_owners_are_notified_of_damage_and_recovery(database: Database, kind: type[Fact], message: str) -> None:
    owner, radio = await add_user(database), Radio()
    notifications = NotificationsService(radio, utc_now)
    handlers = consumers(notifications, radio)[0].in_transaction
    about = {"fileId": new_id(), "ownerId": owner, "name": "a.txt", "reason": "half of it is gone"}
    event = RecordedEvent(new_id(), kind.event_type, "file:x", {**about}, {}, utc_now())
    async with database.transaction() as tx:
        await handlers[kind.event_type](tx, event)
    async with database.reading() as tx:
        page = await notifications.page(tx, owner, unread=False, limit=10, cursor=None)
    assert [message] == [item.message for item in page.items]
