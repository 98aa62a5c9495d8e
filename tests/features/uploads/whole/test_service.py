"""Files that arrive whole, one or many, through the service."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import select

from metastore.features.files.models import Node
from metastore.features.uploads.whole.object_keys import ObjectKeys
from metastore.features.uploads.whole.service import Outcome, WholeUploads
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.problems.problem import Problem
from metastore.kit.saga import sagas
from metastore.ports.object_store import StoreFullError, StoreUnavailableError
from tests.fixtures.accounts import Storage
from tests.fixtures.media_pipeline import PICTURE
from tests.fixtures.user_drive import NOTHING, Drive
from tests.fixtures.whole_files import no_response, whole_file


@pytest.fixture
def keys(drive: Drive) -> ObjectKeys:
    return ObjectKeys(drive.database, drive.store, drive.limits, drive.clock)


@pytest.fixture
def whole(drive: Drive, keys: ObjectKeys) -> WholeUploads:
    return WholeUploads(drive.database, drive.store, drive.files, keys, drive.limits, drive.clock)


def codes(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the path of each stored file and the code of each problem."""
    return [outcome.code.value if isinstance(outcome, Problem) else str(outcome["path"]) for outcome in outcomes]


async def test_a_file_is_stored_with_its_bytes_and_type_and_without_an_upload_row(
    drive: Drive, whole: WholeUploads
) -> None:
    file = await whole.store_one(drive.root, whole_file(b"some text", "notes.txt", "/docs/old"), no_response)
    assert ("/docs/old/notes.txt", 9, "READY", "text/plain") == (
        file["path"],
        file["size"],
        file["status"],
        file["mimeType"],
    )
    assert [b"some text"] == list(drive.store.objects.values())
    assert Storage(used=9, reserved=0) == await drive.storage()
    assert {"nodes": 3, "uploads": 0, "objects": 1, "multiparts": 0} == await drive.leftovers()


async def test_a_file_that_needs_no_processing_has_its_events_and_no_saga(drive: Drive, whole: WholeUploads) -> None:
    file = await whole.store_one(drive.root, whole_file(), no_response)
    assert ["upload.initiated", "file.uploaded", "file.ready"] == await drive.event_types()
    async with drive.database.reading() as tx:
        assert {} == await sagas.sagas_of(tx, "ingest", [str(file["id"])])


async def test_a_picture_is_processing_with_its_saga_at_the_probe(drive: Drive, whole: WholeUploads) -> None:
    file = await whole.store_one(drive.root, whole_file(PICTURE, "beach.jpg"), no_response)
    async with drive.database.reading() as tx:
        shown = await drive.files.owned_file(tx, drive.owner, str(file["id"]))
    assert file == shown.model_dump(mode="json", by_alias=True)
    assert ("PROCESSING", "probe", "PENDING") == (shown.status, shown.processing.step, shown.processing.state)
    assert ["upload.initiated", "file.uploaded"] == await drive.event_types()


@pytest.mark.parametrize(
    ("name", "path", "size", "code"),
    [
        ("..", "/", 1, "invalid-name"),
        ("a\0b", "/", 1, "invalid-name"),
        ("", "/", 1, "invalid-name"),
        ("a.txt", "/a/../b", 1, "invalid-path"),
        ("a.txt", "/" + "a/" * 65, 1, "path-too-deep"),
        ("a.txt", "/", 501, "file-too-large"),
    ],
)
async def test_a_bad_file_is_refused_and_nothing_is_kept(
    drive: Drive, whole: WholeUploads, name: str, path: str, size: int, code: str
) -> None:
    file = whole_file(bytes(size), name, path)
    with pytest.raises(Problem) as refused:
        await whole.store_one(drive.root, file, no_response)
    assert code == refused.value.code
    assert [code] == codes(await whole.store_batch(drive.root, [file], no_response))
    assert NOTHING == await drive.leftovers()
    assert Storage(used=0, reserved=0) == await drive.storage()


async def test_parallel_files_never_exceed_the_quota(drive: Drive, whole: WholeUploads) -> None:
    sent = [whole.store_one(drive.root, whole_file(bytes(300), f"{n}.bin"), no_response) for n in range(6)]
    results = await asyncio.gather(*sent, return_exceptions=True)
    refused = [result for result in results if isinstance(result, Problem)]
    assert [(413, "quota-exceeded")] * 3 == [(problem.status, problem.code) for problem in refused]
    assert Storage(used=900, reserved=0) == await drive.storage()
    assert 3 == len(drive.store.objects)


async def test_each_file_of_a_batch_succeeds_or_fails_by_itself(drive: Drive, whole: WholeUploads) -> None:
    """In order: what does not fit beside the files before it is refused, and a later, smaller one still fits."""
    await whole.store_one(drive.root, whole_file(b"x", "taken"), no_response)
    files = [
        whole_file(bytes(400), "one.bin"),
        whole_file(b"", ".."),
        whole_file(bytes(501), "large.bin"),
        whole_file(bytes(500), "two.bin", "/b"),
        whole_file(b"y", "below.txt", "/taken/deeper"),
        whole_file(bytes(200), "three.bin"),
        whole_file(bytes(90), "four.bin", "/b/c"),
    ]
    outcomes = await whole.store_batch(drive.root, files, no_response)
    assert [
        "/one.bin",
        "invalid-name",
        "file-too-large",
        "/b/two.bin",
        "name-taken",
        "quota-exceeded",
        "/b/c/four.bin",
    ] == codes(outcomes)
    assert Storage(used=991, reserved=0) == await drive.storage()
    assert [1, 90, 400, 500] == sorted(map(len, drive.store.objects.values()))


async def test_files_of_the_same_name_in_a_batch_get_a_number(drive: Drive, whole: WholeUploads) -> None:
    await whole.store_one(drive.root, whole_file(name="a (1).txt", path="/d"), no_response)
    names = ["a.txt", "a.txt", "b", "a (1).txt", "a.txt", "b"]
    outcomes = await whole.store_batch(drive.root, [whole_file(name=name, path="/d") for name in names], no_response)
    stored = ["a.txt", "a (2).txt", "b", "a (1) (1).txt", "a (3).txt", "b (1)"]
    assert [f"/d/{name}" for name in stored] == codes(outcomes)


async def test_a_file_beside_a_folder_of_its_name_gets_a_number(drive: Drive, whole: WholeUploads) -> None:
    outcomes = await whole.store_batch(drive.root, [whole_file(name="x"), whole_file(name="y", path="/x")], no_response)
    assert ["/x (1)", "/x/y"] == codes(outcomes)


async def test_a_dropped_folder_is_created_once_with_everything_in_it(drive: Drive, whole: WholeUploads) -> None:
    await whole.store_one(drive.root, whole_file(path="/up"), no_response)
    files = [whole_file(name=f"{n}", path=f"/up/{n % 3}/same/{n % 2}") for n in range(20)]
    await asyncio.gather(*(whole.store_batch(drive.root, files[n : n + 5], no_response) for n in range(0, 20, 5)))
    async with drive.database.reading() as tx:
        folders = list(await tx.session.scalars(select(Node.name).where(Node.kind == "folder")))
        count = len((await tx.session.scalars(select(Node.id).where(Node.kind == "file"))).all())
    assert (1, 3, 21) == (folders.count("up"), folders.count("same"), count)
    assert 1 + 3 + 3 + 6 == len(folders)
    assert len(folders) == (await drive.event_types()).count("folder.created")


@pytest.mark.parametrize("error", [StoreFullError("full"), StoreUnavailableError("outage")])
@pytest.mark.parametrize("moment", ["fail_next", "fail_after"])
async def test_a_failing_store_leaves_nothing_of_a_batch(
    drive: Drive, whole: WholeUploads, moment: str, error: Exception
) -> None:
    getattr(drive.store, moment)["put_all"] = error
    with pytest.raises(Problem) as failed:
        await whole.store_batch(drive.root, [whole_file(), whole_file(name="b")], no_response)
    assert failed.value.status in (503, 507)
    assert NOTHING == await drive.leftovers()
    assert Storage(used=0, reserved=0) == await drive.storage()


async def test_files_and_response_are_committed_together(drive: Drive, whole: WholeUploads) -> None:
    async def fail(_tx: Transaction, outcomes: Sequence[Outcome]) -> None:
        assert ["/a.txt"] == codes(outcomes)
        raise ConnectionResetError

    with pytest.raises(Problem):
        await whole.store_batch(drive.root, [whole_file()], fail)
    assert 0 == (await drive.leftovers())["nodes"]
    assert [] == await drive.event_types()
    assert Storage(used=0, reserved=0) == await drive.storage()


async def test_objects_of_a_process_that_died_before_its_commit_are_deleted_with_their_keys(
    drive: Drive, whole: WholeUploads, keys: ObjectKeys
) -> None:
    """What has become a file stays."""

    async def die(_tx: Transaction, _outcomes: Sequence[Outcome]) -> None:
        raise KeyboardInterrupt

    await whole.store_one(drive.root, whole_file(b"kept"), no_response)
    with pytest.raises(KeyboardInterrupt):
        await whole.store_batch(drive.root, [whole_file(b"lost"), whole_file(b"lost too")], die)
    await keys.collect()
    assert 3 == len(drive.store.objects)
    drive.clock.advance(hours=2)
    await keys.collect()
    assert [b"kept"] == list(drive.store.objects.values())
    await whole.store_one(drive.root, whole_file(b"under a new key"), no_response)
    assert Storage(used=19, reserved=0) == await drive.storage()


async def test_a_file_whose_keys_were_collected_meanwhile_is_not_created(
    drive: Drive, whole: WholeUploads, keys: ObjectKeys
) -> None:
    """The request of a process that had stopped for hours fails, and can be repeated."""
    reserved = await keys.reserve(1)
    drive.clock.advance(hours=2)
    await keys.collect()
    with pytest.raises(Problem) as failed:
        async with drive.database.transaction() as tx:
            await keys.require_open(tx, reserved)
    assert 503 == failed.value.status
    assert "READY" == (await whole.store_one(drive.root, whole_file(), no_response))["status"]


async def test_collecting_waits_for_the_transaction_that_creates_a_file(
    drive: Drive, whole: WholeUploads, keys: ObjectKeys
) -> None:
    """The block of its key stays open until its end, so its object is found to be in use."""
    collecting: list[asyncio.Task[None]] = []

    async def collect_meanwhile(_tx: Transaction, _outcomes: Sequence[Outcome]) -> None:
        drive.clock.advance(hours=2)
        collecting.append(asyncio.create_task(keys.collect()))
        done, _ = await asyncio.wait(collecting, timeout=0.2)
        assert not done

    await whole.store_one(drive.root, whole_file(b"kept"), collect_meanwhile)
    await collecting[0]
    assert [b"kept"] == list(drive.store.objects.values())


async def test_each_key_is_handed_out_once(keys: ObjectKeys) -> None:
    reserved = await asyncio.gather(*(keys.reserve(200) for _ in range(12)))
    handed_out = [key for each in reserved for key in each.keys]
    assert 2400 == len(set(handed_out)) == len(handed_out)
    assert all(each.block_id in key for each in reserved for key in each.keys)
