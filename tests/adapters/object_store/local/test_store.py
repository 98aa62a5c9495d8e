"""Behaviour of the embedded store beyond the object store contract."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from metastore.adapters.object_store.local import LocalObjectStore
from metastore.adapters.object_store.local.upload import _MAX_SIDE_WRITES
from metastore.ports.object_store import (
    CompletedPart,
    InvalidPartError,
    NewObject,
    ObjectNotFoundError,
    ObjectStoreError,
    StoreFullError,
    StoreUnavailableError,
    UploadNotFoundError,
    UploadTarget,
)
from metastore.ports.served_objects import PartGrant, PartWriter
from tests.fixtures.full_device import files_limited_to

KEY = "files/abc"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[LocalObjectStore]:
    """A store in an empty folder."""
    store = LocalObjectStore(tmp_path / "store", b"k" * 32)
    yield store
    await store.aclose()


async def begin(store: LocalObjectStore, size: int = 3, part_size: int = 3) -> UploadTarget:
    """Open an upload."""
    upload_id = await store.create_multipart(KEY, size=size, part_size=part_size, content_type="text/plain")
    return UploadTarget(KEY, upload_id, size, part_size)


async def writer_of(store: LocalObjectStore, target: UploadTarget, number: int = 1) -> PartWriter:
    """Start receiving a part."""
    return await store.write_part(PartGrant(target.key, target.upload_id, number, target.part_length(number), 0))


async def send(store: LocalObjectStore, target: UploadTarget, content: bytes, number: int = 1) -> CompletedPart:
    """Receive a whole part."""
    writer = await writer_of(store, target, number)
    await writer.write(content)
    part = await writer.commit()
    return CompletedPart(part.number, part.etag)


def files_of(store_folder: Path, pattern: str) -> list[str]:
    """Return the names of files in open uploads."""
    return sorted(path.name for path in (store_folder / "uploads").glob(f"*/{pattern}"))


async def test_the_etag_of_a_replaced_part_no_longer_completes(store: LocalObjectStore) -> None:
    """Only the ETag of the latest version can be named."""
    target = await begin(store)
    old = await send(store, target, b"old")
    new = await send(store, target, b"new")
    with pytest.raises(InvalidPartError):
        await store.complete_multipart(target, [old])
    await store.complete_multipart(target, [new])


async def test_complete_does_not_copy_the_bytes(store: LocalObjectStore, tmp_path: Path) -> None:
    """The object is the file that the parts were written to."""
    target = await begin(store, 6)
    parts = [await send(store, target, b"abc", 1), await send(store, target, b"def", 2)]
    [data] = (tmp_path / "store" / "uploads").glob("*/data")
    inode = data.stat().st_ino
    await store.complete_multipart(target, parts)
    assert inode == os.fstat((await store.open_object(KEY)).fileno()).st_ino


async def test_create_allocates_all_space(store: LocalObjectStore, tmp_path: Path) -> None:
    """Parts cannot fail later for lack of space."""
    await begin(store, 10_000_000, 5_000_000)
    [data] = (tmp_path / "store" / "uploads").glob("*/data")
    assert data.stat().st_blocks * 512 >= 10_000_000


async def test_a_second_writer_is_refused(store: LocalObjectStore, tmp_path: Path) -> None:
    """It gets ``EBUSY``; a read-only store can be opened."""
    await store.complete_multipart(target := await begin(store), [await send(store, target, b"abc")])
    with pytest.raises(OSError, match="in use") as refusal:
        LocalObjectStore(tmp_path / "store", b"k" * 32)
    assert errno.EBUSY == refusal.value.errno
    reader = LocalObjectStore(tmp_path / "store", b"k" * 32, read_only=True)
    assert [KEY] == [item.key async for item in reader.list_objects()]
    await reader.aclose()
    await store.aclose()
    await LocalObjectStore(tmp_path / "store", b"k" * 32).aclose()


async def test_uploads_continue_after_a_restart(tmp_path: Path) -> None:
    """Parts received before are still listed, and the rest can be sent."""
    first = LocalObjectStore(tmp_path / "store", b"k" * 32)
    target = await begin(first, 5)
    parts = [await send(first, target, b"abc", 1)]
    await first.aclose()
    second = LocalObjectStore(tmp_path / "store", b"k" * 32)
    assert [1] == [part.number for part in await second.list_parts(target)]
    parts.append(await send(second, target, b"de", 2))
    await second.complete_multipart(target, parts)
    assert b"abcde" == b"".join([chunk async for chunk in second.read(KEY)])
    await second.aclose()


async def test_a_discarded_writer_leaves_nothing(store: LocalObjectStore, tmp_path: Path) -> None:
    """Neither in place nor in a side file; the acknowledged part is kept."""
    target = await begin(store)
    await (await writer_of(store, target)).discard()
    kept = await send(store, target, b"abc")
    other = await writer_of(store, target)
    await other.write(b"x")
    assert 1 == len(files_of(tmp_path / "store", "side-*"))
    with pytest.raises(ValueError, match="1 of 3"):
        await other.commit()
    await other.discard()
    assert [] == files_of(tmp_path / "store", "side-*")
    assert [kept.etag] == [part.etag for part in await store.list_parts(target)]


async def test_of_two_concurrent_writers_the_last_to_commit_wins(store: LocalObjectStore, tmp_path: Path) -> None:
    """The order in which they started does not matter. Nothing of the other is kept."""
    for order in ((0, 1), (1, 0)):
        target = await begin(store)
        writers = [await writer_of(store, target), await writer_of(store, target)]
        for index in order:
            await writers[index].write(b"%d%d%d" % (index, index, index))
        _, last = [await writers[index].commit() for index in order]
        assert [last.etag] == [part.etag for part in await store.list_parts(target)]
        await store.complete_multipart(target, [CompletedPart(1, last.etag)])
        assert b"%d" % order[1] * 3 == b"".join([chunk async for chunk in store.read(KEY)])
        await store.delete([KEY])
    assert [] == files_of(tmp_path / "store", "*")


async def test_a_part_in_transit_when_the_upload_closes_is_rejected(store: LocalObjectStore, tmp_path: Path) -> None:
    """It can neither change the object nor survive the abort."""
    completed = await begin(store)
    part = await send(store, completed, b"abc")
    late = await writer_of(store, completed)
    await late.write(b"xyz")
    await store.complete_multipart(completed, [part])
    with pytest.raises(UploadNotFoundError):
        await late.commit()
    assert b"abc" == b"".join([chunk async for chunk in store.read(KEY)])

    aborted = await begin(store)
    late = await writer_of(store, aborted)
    await late.write(b"xyz")
    await store.abort_multipart(aborted.key, aborted.upload_id)
    with pytest.raises(UploadNotFoundError):
        await late.commit()
    assert [] == files_of(tmp_path / "store", "*")


async def test_of_concurrent_puts_of_a_key_one_succeeds(store: LocalObjectStore) -> None:
    """The others fail, although they share their syncs with puts of other keys, which succeed."""
    objects = [NewObject(KEY, b"%d" % number, "text/plain") for number in range(4)]
    others = [NewObject(f"files/{number}", b"other", "text/plain") for number in range(4)]
    puts = [store.put_all([new]) for pair in zip(objects, others, strict=True) for new in pair]
    outcomes = await asyncio.gather(*puts, return_exceptions=True)
    assert [isinstance(outcome, ObjectStoreError) for outcome in outcomes[::2]].count(False) == 1
    assert [isinstance(outcome, ObjectStoreError) for outcome in outcomes[1::2]] == [False] * 4
    assert b"other" == b"".join([chunk async for chunk in store.read("files/3")])


async def test_a_key_is_never_written_twice(store: LocalObjectStore) -> None:
    """A second object under the same key is refused, and its upload stays open."""
    first, second = await begin(store), await begin(store)
    await store.complete_multipart(first, [await send(store, first, b"abc")])
    part = await send(store, second, b"xyz")
    with pytest.raises(ObjectStoreError, match="already"):
        await store.complete_multipart(second, [part])
    assert [part.etag] == [listed.etag for listed in await store.list_parts(second)]
    assert b"abc" == b"".join([chunk async for chunk in store.read(KEY)])


@pytest.mark.parametrize(
    "key", ["", "..", "files/../x", "/files/x", "files//x", ".hidden", "files/x\0", "fil\u00e9", "x" * 600]
)
async def test_malformed_keys_are_refused(store: LocalObjectStore, key: str) -> None:
    """Nothing is created for them, and nothing is found."""
    with pytest.raises(ValueError, match="key"):
        await store.create_multipart(key, size=1, part_size=1, content_type="a/b")
    with pytest.raises(ObjectNotFoundError):
        await store.head(key)


@pytest.mark.parametrize("upload_id", ["", "..", "../objects", "a/b", "x" * 300])
async def test_upload_ids_cannot_traverse_paths(store: LocalObjectStore, upload_id: str) -> None:
    """A malformed id is an unknown upload."""
    with pytest.raises(UploadNotFoundError):
        await store.list_parts(UploadTarget(KEY, upload_id, 1, 1))
    await store.abort_multipart(KEY, upload_id)
    await store.check()


async def test_an_upload_is_found_by_its_own_key_only(store: LocalObjectStore) -> None:
    """The key must match the upload id."""
    target = await begin(store)
    foreign = UploadTarget("files/other", target.upload_id, 3, 3)
    with pytest.raises(UploadNotFoundError):
        await store.list_parts(foreign)
    await store.abort_multipart(foreign.key, foreign.upload_id)
    assert [] == await store.list_parts(target)


async def test_a_full_device_rejects_new_data_only(store: LocalObjectStore, tmp_path: Path) -> None:
    """Nothing incomplete is left behind, reads and deletes still work, and writes resume by themselves."""
    target = await begin(store, 2**20, 2**20)
    await send(store, target, b"a" * 2**20)
    with files_limited_to(2**19):
        with pytest.raises(StoreFullError):
            await begin(store, 2**20, 2**20)
        with pytest.raises(StoreFullError):
            await writer_of(store, target)
        with pytest.raises(StoreFullError):
            await store.put("files/p", _stream(bytes(2**20)), size=2**20, content_type="a/b")
        assert 1 == len(await store.list_parts(target))
    assert 1 == len(list((tmp_path / "store" / "uploads").iterdir()))
    assert [] == files_of(tmp_path / "store", "side-*")
    part = await send(store, target, b"b" * 2**20)
    await store.complete_multipart(target, [part])
    await store.delete([KEY])


async def test_some_space_is_kept_free(tmp_path: Path) -> None:
    """A database on the same device can still be written to when the store is full."""
    free = os.statvfs(tmp_path)
    store = LocalObjectStore(tmp_path / "store", b"k" * 32, keep_free=free.f_bavail * free.f_frsize)
    with pytest.raises(StoreFullError):
        await begin(store, 2**30, 2**30)
    await store.aclose()


async def test_an_object_being_read_outlives_its_deletion(store: LocalObjectStore) -> None:
    """An open object can be read to its end; new readers no longer find it."""
    await store.put(KEY, _stream(b"abc"), size=3, content_type="a/b")
    file = await store.open_object(KEY)
    await store.delete([KEY])
    assert store.opened(KEY) is None
    assert b"abc" == file.read_now(0, 3) or b"abc" == await file.read(0, 3)


async def test_files_are_private_to_the_owner(store: LocalObjectStore, tmp_path: Path) -> None:
    """Group and others have no access to folders and files."""
    await store.complete_multipart(target := await begin(store), [await send(store, target, b"abc")])
    await begin(store)
    for path in (tmp_path / "store").rglob("*"):
        assert 0 == path.stat().st_mode & 0o077, path


async def _stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_concurrent_resends_of_a_part_are_limited(store: LocalObjectStore, tmp_path: Path) -> None:
    """Each one takes additional disk space, which no quota counts."""
    target = await begin(store)
    writers = [await writer_of(store, target) for _ in range(1 + _MAX_SIDE_WRITES)]
    with pytest.raises(StoreUnavailableError):
        await writer_of(store, target)
    assert _MAX_SIDE_WRITES == len(files_of(tmp_path / "store", "side-*"))
    for writer in writers:
        await writer.discard()
    await send(store, target, b"abc")


async def test_sending_a_part_again_requires_free_space(tmp_path: Path) -> None:
    store = LocalObjectStore(tmp_path / "store", b"k" * 32, keep_free=0)
    target = await begin(store)
    await send(store, target, b"abc")
    store._keep_free = 2**62
    with pytest.raises(StoreFullError):
        await send(store, target, b"def")
    await store.aclose()
