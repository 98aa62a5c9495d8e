"""Multipart uploads through the service."""

import asyncio

import pytest
from sqlalchemy import select

from metastore.features.files.models import Node
from metastore.features.uploads import repository
from metastore.kit.problems.problem import Problem
from metastore.ports.object_store import CompletedPart, StoreFullError, StoreUnavailableError
from tests.fixtures.accounts import Storage, add_user, signed_in
from tests.fixtures.user_drive import NOTHING, Drive, upload_request

CONTENT = b"twenty-five bytes of text"


async def test_an_upload_becomes_a_file_with_its_bytes_and_type(drive: Drive) -> None:
    upload = await drive.initiate(CONTENT, name="notes.txt", path="/docs")
    assert len(upload.upload_urls) == 3
    assert await drive.storage() == Storage(used=0, reserved=25)

    file = await drive.uploads.complete(
        drive.caller, upload.file_id, upload.upload_id, await drive.send(upload, CONTENT)
    )

    assert (file.name, file.path, file.size, file.status) == ("notes.txt", "/docs/notes.txt", 25, "READY")
    assert file.mime_type == "text/plain"
    assert list(drive.store.objects.values()) == [CONTENT]
    assert await drive.storage() == Storage(used=25, reserved=0)


async def test_each_step_records_its_event(drive: Drive) -> None:
    upload = await drive.initiate(CONTENT)
    await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, await drive.send(upload, CONTENT))
    assert await drive.event_types() == ["upload.initiated", "file.uploaded", "file.ready"]


async def test_an_empty_file_has_one_empty_part(drive: Drive) -> None:
    upload = await drive.initiate(b"")
    assert len(upload.upload_urls) == 1
    file = await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, await drive.send(upload, b""))
    assert (file.size, file.status) == (0, "READY")


async def test_the_quota_is_reserved_before_the_first_byte_and_never_exceeded(drive: Drive) -> None:
    results = await asyncio.gather(
        *(drive.uploads.initiate(drive.root, upload_request(name=f"{n}.bin", size=300)) for n in range(6)),
        return_exceptions=True,
    )
    refused = [result for result in results if isinstance(result, Problem)]
    assert [(p.status, p.code) for p in refused] == [(413, "quota-exceeded")] * 3
    assert await drive.storage() == Storage(used=0, reserved=900)


async def test_a_file_that_is_too_large_is_rejected_and_nothing_is_kept(drive: Drive) -> None:
    with pytest.raises(Problem) as caught:
        await drive.uploads.initiate(drive.root, upload_request(size=501))
    assert (caught.value.status, caught.value.code) == (413, "file-too-large")
    assert await drive.leftovers() == NOTHING


@pytest.mark.parametrize("fields", [{"path": "/a/../b"}, {"name": "a\0b"}, {"name": "x" * 300}, {"name": ".."}])
async def test_an_invalid_name_or_path_is_rejected_and_nothing_is_kept(drive: Drive, fields: dict[str, str]) -> None:
    with pytest.raises(Problem) as caught:
        await drive.uploads.initiate(drive.root, upload_request(**fields))
    assert caught.value.status == 422
    assert await drive.leftovers() == NOTHING
    assert await drive.storage() == Storage(used=0, reserved=0)


async def test_files_of_the_same_name_get_a_number(drive: Drive) -> None:
    await asyncio.gather(*(drive.initiate(name="a.txt") for _ in range(3)))
    async with drive.database.reading() as tx:
        names = await tx.session.scalars(select(Node.name).order_by(Node.name))
    assert list(names) == ["a (1).txt", "a (2).txt", "a.txt"]


@pytest.mark.parametrize("error", [StoreFullError("full"), StoreUnavailableError("outage")])
async def test_a_failing_store_leaves_nothing_behind(drive: Drive, error: Exception) -> None:
    drive.store.fail_next["create_multipart"] = error
    with pytest.raises(Problem) as caught:
        await drive.initiate()
    assert caught.value.status == (507 if isinstance(error, StoreFullError) else 503)
    assert await drive.leftovers() == NOTHING
    assert await drive.storage() == Storage(used=0, reserved=0)


async def test_resuming_returns_received_parts_and_new_urls(drive: Drive) -> None:
    upload = await drive.initiate(CONTENT)
    sent = drive.store.put_part(await drive.store_id(upload.upload_id), 2, CONTENT[10:20])
    state = await drive.uploads.resume(drive.caller, upload.upload_id)
    assert [(part.part_number, part.etag, part.size) for part in state.parts] == [(2, sent, 10)]
    assert (len(state.upload_urls), state.size, state.part_size) == (3, 25, 10)


async def test_resuming_extends_the_lifetime(drive: Drive) -> None:
    upload = await drive.initiate(CONTENT)
    drive.clock.advance(minutes=50)
    await drive.uploads.resume(drive.caller, upload.upload_id)
    drive.clock.advance(minutes=50)
    async with drive.database.reading() as tx:
        resumed = await repository.find(tx, upload.upload_id)
    assert resumed is not None
    assert resumed.expires_at > drive.clock()


async def test_an_expired_upload_cannot_be_resumed(drive: Drive) -> None:
    """Even if its saga has not ended it yet; otherwise repeated resuming would keep it forever."""
    upload = await drive.initiate(CONTENT)
    drive.clock.advance(minutes=61)
    with pytest.raises(Problem, match="404 upload-not-found"):
        await drive.uploads.resume(drive.caller, upload.upload_id)
    async with drive.database.reading() as tx:
        expired = await repository.find(tx, upload.upload_id)
    assert expired is not None
    assert expired.expires_at < drive.clock()


@pytest.mark.parametrize("missing", [1, 3])
async def test_a_missing_part_is_reported_and_the_upload_stays_open(drive: Drive, missing: int) -> None:
    upload = await drive.initiate(CONTENT)
    parts = await drive.send(upload, CONTENT)
    named = [part for part in parts if part.number != missing]
    with pytest.raises(Problem) as caught:
        await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, named)
    assert (caught.value.status, caught.value.code) == (400, "missing-part")
    assert caught.value.members["partNumber"] == missing
    file = await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, parts)
    assert file.status == "READY"


async def test_a_wrong_etag_is_reported_with_its_part_and_the_upload_stays_open(drive: Drive) -> None:
    upload = await drive.initiate(CONTENT)
    parts = await drive.send(upload, CONTENT)
    wrong = [parts[0], CompletedPart(2, "0" * 32), parts[2]]
    with pytest.raises(Problem) as caught:
        await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, wrong)
    assert (caught.value.status, caught.value.code, caught.value.members) == (400, "invalid-part", {"partNumber": 2})
    assert (await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, parts)).status == "READY"


async def test_completing_twice_returns_the_same_file(drive: Drive) -> None:
    upload = await drive.initiate(CONTENT)
    parts = await drive.send(upload, CONTENT)
    first = await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, parts)
    second = await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, parts)
    assert second == first
    assert await drive.storage() == Storage(used=25, reserved=0)


async def test_concurrent_completions_make_one_file(drive: Drive) -> None:
    upload = await drive.initiate(CONTENT)
    parts = await drive.send(upload, CONTENT)
    responses = await asyncio.gather(
        *(drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, parts) for _ in range(8))
    )
    assert {response.id for response in responses} == {upload.file_id}
    assert await drive.storage() == Storage(used=25, reserved=0)
    assert (await drive.event_types()).count("file.uploaded") == 1


async def test_an_aborted_upload_leaves_nothing(drive: Drive) -> None:
    upload = await drive.initiate(CONTENT)
    parts = await drive.send(upload, CONTENT)
    await drive.uploads.abort(drive.caller, upload.upload_id)
    assert await drive.leftovers() == NOTHING
    assert await drive.storage() == Storage(used=0, reserved=0)
    with pytest.raises(Problem) as caught:
        await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, parts)
    assert (caught.value.status, caught.value.code) == (404, "upload-not-found")


async def test_a_completed_upload_cannot_be_aborted(drive: Drive) -> None:
    upload = await drive.initiate(CONTENT)
    await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, await drive.send(upload, CONTENT))
    with pytest.raises(Problem) as caught:
        await drive.uploads.abort(drive.caller, upload.upload_id)
    assert (caught.value.status, caught.value.code) == (409, "upload-completed")
    assert await drive.storage() == Storage(used=25, reserved=0)


async def test_complete_racing_abort_has_one_winner_and_no_leftovers(drive: Drive) -> None:
    for round_number in range(10):
        upload = await drive.initiate(CONTENT, name=f"{round_number}.txt")
        parts = await drive.send(upload, CONTENT)
        before = await drive.storage()
        completed, aborted = await asyncio.gather(
            drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, parts),
            drive.uploads.abort(drive.caller, upload.upload_id),
            return_exceptions=True,
        )
        won = not isinstance(completed, BaseException)
        assert won == isinstance(aborted, Problem)
        assert (f"files/{upload.upload_id}" in drive.store.objects) == won
        assert await drive.storage() == Storage(before.used + 25 * won, before.reserved - 25)
    assert drive.store.multiparts == {}


async def test_a_lost_response_of_the_store_is_recovered_by_completing_again(drive: Drive) -> None:
    upload = await drive.initiate(CONTENT)
    parts = await drive.send(upload, CONTENT)
    drive.store.fail_after["complete_multipart"] = StoreUnavailableError("connection reset")
    with pytest.raises(Problem) as caught:
        await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, parts)
    assert caught.value.status == 503
    file = await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, parts)
    assert file.status == "READY"
    assert await drive.storage() == Storage(used=25, reserved=0)


async def test_an_upload_whose_completion_was_killed_can_be_aborted_after_its_lease(drive: Drive) -> None:
    upload = await drive.initiate(CONTENT)
    parts = await drive.send(upload, CONTENT)
    drive.store.fail_after["complete_multipart"] = StoreUnavailableError("connection reset")
    with pytest.raises(Problem):
        await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, parts)
    with pytest.raises(Problem) as caught:
        await drive.uploads.abort(drive.caller, upload.upload_id)
    assert caught.value.code == "upload-completing"
    drive.clock.advance(seconds=drive.uploads.completing_lease.total_seconds() + 1)
    await drive.uploads.abort(drive.caller, upload.upload_id)
    assert await drive.leftovers() == NOTHING


async def test_another_users_upload_does_not_exist(drive: Drive) -> None:
    upload = await drive.initiate(CONTENT)
    parts = await drive.send(upload, CONTENT)
    stranger = await add_user(drive.database)
    for attempt in (
        drive.uploads.resume(signed_in(stranger), upload.upload_id),
        drive.uploads.abort(signed_in(stranger), upload.upload_id),
        drive.uploads.complete(signed_in(stranger), upload.file_id, upload.upload_id, parts),
        drive.uploads.resume(drive.caller, "not-an-id"),
        drive.uploads.complete(drive.caller, upload.upload_id, upload.upload_id, parts),
    ):
        with pytest.raises(Problem) as caught:
            await attempt
        assert (caught.value.status, caught.value.code) == (404, "upload-not-found")
    assert (await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, parts)).status == "READY"
