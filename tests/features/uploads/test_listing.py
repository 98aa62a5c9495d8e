"""The list of unfinished uploads."""

from metastore.features.uploads.multipart.listing import UnfinishedUploads
from tests.fixtures.user_drive import Drive


async def test_the_received_bytes_are_unknown_during_an_outage_of_the_store(drive: Drive) -> None:
    upload = await drive.initiate(b"twelve bytes")
    listing = UnfinishedUploads(drive.database, drive.store, drive.files)

    (nothing_sent,) = (await listing.page(drive.caller, limit=10, cursor=None)).items
    drive.store.put_part(await drive.store_id(upload.upload_id), 1, b"twelve byt")
    drive.store.offline = True
    (unknown,) = (await listing.page(drive.caller, limit=10, cursor=None)).items
    drive.store.offline = False
    (ten,) = (await listing.page(drive.caller, limit=10, cursor=None)).items

    assert [0, None, 10] == [item.received_bytes for item in (nothing_sent, unknown, ten)]
    assert unknown.model_dump(by_alias=True)["receivedBytes"] is None


async def test_an_upload_that_the_store_has_lost_has_received_no_bytes(drive: Drive) -> None:
    await drive.initiate(b"twelve bytes")
    drive.store.multiparts.clear()
    (item,) = (
        await UnfinishedUploads(drive.database, drive.store, drive.files).page(drive.caller, limit=10, cursor=None)
    ).items
    assert 0 == item.received_bytes
