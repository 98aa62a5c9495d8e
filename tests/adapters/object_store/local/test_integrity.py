"""Integrity checks of the embedded store's objects."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from metastore.adapters.object_store.local import LocalObjectStore
from metastore.ports.object_store import DamagedObjectError, ObjectNotFoundError
from tests.fixtures.store_client import stream

KEY = "files/abc"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[LocalObjectStore]:
    """A store with one object."""
    store = LocalObjectStore(tmp_path / "store", b"k" * 32)
    await store.put(KEY, stream(b"abc"), size=3, content_type="text/plain")
    yield store
    await store.aclose()


@pytest.fixture
def folder(store: LocalObjectStore, tmp_path: Path) -> Path:
    """The object's folder."""
    [metadata] = (tmp_path / "store" / "objects").glob("*/*/object.json")
    return metadata.parent


async def test_a_changed_byte_in_the_metadata_is_detected(store: LocalObjectStore, folder: Path) -> None:
    original = (folder / "object.json").read_bytes()
    for position in range(len(original)):
        flipped = bytearray(original)
        flipped[position] ^= random.randint(1, 255)
        (folder / "object.json").write_bytes(flipped)
        with pytest.raises(DamagedObjectError):
            await store.examine(KEY)
    (folder / "object.json").write_bytes(original)
    assert 3 == (await store.examine(KEY)).size


@pytest.mark.parametrize("content", [b"", b"ab", b"abcd"])
async def test_a_wrong_size_is_detected(store: LocalObjectStore, folder: Path, content: bytes) -> None:
    (folder / "data").write_bytes(content)
    with pytest.raises(DamagedObjectError, match=f"{len(content)} bytes instead of 3"):
        await store.examine(KEY)


@pytest.mark.parametrize("name", ["data", "object.json"])
async def test_a_missing_file_is_damage(store: LocalObjectStore, folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(DamagedObjectError, match="missing"):
        await store.examine(KEY)


async def test_an_object_in_the_wrong_folder_is_detected(store: LocalObjectStore, folder: Path, tmp_path: Path) -> None:
    await store.put("files/other", stream(b"xyz"), size=3, content_type="text/plain")
    [other] = [path for path in (tmp_path / "store" / "objects").glob("*/*/object.json") if path.parent != folder]
    (folder / "object.json").write_bytes(other.read_bytes())
    with pytest.raises(DamagedObjectError, match="another"):
        await store.examine(KEY)


async def test_listing_skips_objects_with_unreadable_metadata(store: LocalObjectStore, folder: Path) -> None:
    await store.put("files/other", stream(b"xyz"), size=3, content_type="text/plain")
    (folder / "object.json").write_bytes(b"{")
    assert ["files/other"] == [item.key async for item in store.list_objects()]


async def test_a_malformed_key_is_not_found(store: LocalObjectStore) -> None:
    with pytest.raises(ObjectNotFoundError):
        await store.examine("not a key")
