"""The archive of a selection: its members, its bytes, and what happens when something changes."""

import asyncio
import random
import shutil
import subprocess
import tracemalloc
import zipfile
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from metastore.features.archives.layout import snapshot
from metastore.features.archives.layout.snapshot import ArchiveChangedError
from metastore.features.files.content.crcs import StoredBytes
from metastore.features.files.listing import subtree
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem
from metastore.ports.object_store import DamagedObjectError, ObjectNotFoundError
from tests.features.archives.archive_drive import ArchiveDrive
from tests.fixtures.accounts import add_user
from tests.fixtures.memory_store import MemoryObjectStore
from tests.fixtures.waiting import eventually


async def a_tree(drive: ArchiveDrive) -> str:
    """Add a folder with files, folders and an empty folder, and return its ID."""
    top = await drive.folder("Đề tài")
    inner = await drive.folder("inner", top)
    await drive.folder("empty", top)
    await drive.file("z.txt", b"last", top)
    await drive.file("a.txt", b"first", top)
    await drive.file("nothing", b"", inner)
    await drive.file("large", random.Random(1).randbytes(300_000), inner)
    await drive.file("ảnh.png", b"png", await drive.folder("deep", inner))
    return top


async def test_a_folder_is_archived_in_the_order_of_its_tree(drive: ArchiveDrive) -> None:
    archive = await drive.zip_of(await a_tree(drive))
    assert archive.namelist() == [
        "Đề tài/",
        "Đề tài/a.txt",
        "Đề tài/z.txt",
        "Đề tài/empty/",
        "Đề tài/inner/",
        "Đề tài/inner/large",
        "Đề tài/inner/nothing",
        "Đề tài/inner/deep/",
        "Đề tài/inner/deep/ảnh.png",
    ]
    assert archive.read("Đề tài/a.txt") == b"first"
    assert archive.read("Đề tài/inner/deep/ảnh.png") == b"png"


async def test_other_programs_extract_it(drive: ArchiveDrive, tmp_path: Path) -> None:
    archive = await drive.archive(await a_tree(drive))
    file = tmp_path / "tree.zip"
    file.write_bytes(await drive.read(archive))
    commands = [["unzip", "-tq", str(file)], ["7z", "t", str(file)], ["bsdtar", "-tf", str(file)]]
    for command in commands:
        if shutil.which(command[0]):
            done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
    await asyncio.to_thread(subprocess.run, ["unzip", "-q", str(file), "-d", str(tmp_path)], check=True)
    assert (tmp_path / "Đề tài/inner/deep/ảnh.png").read_bytes() == b"png"
    assert (tmp_path / "Đề tài/empty").is_dir()


async def test_times_are_kept_in_utc(drive: ArchiveDrive) -> None:
    drive.clock.now = datetime(2024, 2, 29, 23, 59, 54, tzinfo=UTC)
    archive = await drive.zip_of(await drive.file("leap.txt"))
    [member] = archive.infolist()
    moment = datetime(2024, 2, 29, 23, 59, 57, tzinfo=UTC)
    assert member.date_time == (2024, 2, 29, 23, 59, 56)
    assert member.extra == b"UT\x05\x00\x01" + int(moment.timestamp()).to_bytes(4, "little")


async def test_a_selection_has_its_items_side_by_side(drive: ArchiveDrive) -> None:
    """An item inside another one comes once, and equal names are numbered."""
    top = await a_tree(drive)
    inner = await drive.file("inside.txt", b"inside", top)
    alone = await drive.file("a.txt", b"alone")
    twin = await drive.file("A.TXT", b"twin", await drive.folder("elsewhere"))
    archive = await drive.zip_of(inner, alone, top, twin, alone)
    assert archive.namelist()[:2] == ["A.TXT", "a (1).txt"]
    assert archive.read("A.TXT") == b"twin"
    assert [name for name in archive.namelist() if name.endswith("inside.txt")] == ["Đề tài/inside.txt"]


async def test_the_order_of_the_selection_does_not_matter(drive: ArchiveDrive) -> None:
    ids = [await a_tree(drive), await drive.file("one.txt"), await drive.file("two.txt", b"2")]
    first, second = await drive.archive(*ids), await drive.archive(*reversed(ids))
    assert first.snapshot.etag == second.snapshot.etag
    assert await drive.read(first) == await drive.read(second)


async def test_names_say_what_is_inside(drive: ArchiveDrive) -> None:
    top, file = await a_tree(drive), await drive.file("notes.txt")
    assert (await drive.archive(top)).name == "Đề tài.zip"
    assert (await drive.archive(file)).name == "notes.txt.zip"
    drive.clock.now = datetime(2026, 11, 29, 8, 30, 5, tzinfo=UTC)
    assert (await drive.archive(top, file)).name == "MetaStore 2026-11-29 08-30-05.zip"


async def test_names_are_safe_for_windows_and_unique_without_case(drive: ArchiveDrive) -> None:
    top = await drive.folder("con")
    await drive.folder("Notes", top)
    for name, content in (("notes", b"1"), ("a?", b"2"), ("a_", b"3"), ("a|", b"4"), ("dot.", b"5")):
        await drive.file(name, content, top)
    archive = await drive.zip_of(top)
    files = ("a_", "a_ (1)", "a_ (2)", "dot_", "notes (1)")
    assert archive.namelist() == ["con_/", *(f"con_/{name}" for name in files), "con_/Notes/"]
    assert archive.read("con_/a_") == b"2"
    assert archive.read("con_/a_ (1)") == b"3"


async def test_every_range_is_the_slice_of_the_whole(drive: ArchiveDrive) -> None:
    """Whatever the CRC-32 is known of: it is computed before the first byte that depends on it."""
    top = await drive.folder("t")
    for name in ("a", "b"):
        await drive.file(name, name.encode() * 3, top)
    await drive.folder("e", top)
    archive = await drive.archive(top)
    whole = await drive.read(archive)
    for start in range(len(whole)):
        for end in {*range(start, len(whole) + 1, 97), start + 1, len(whole)}:
            assert await drive.read(archive, start, end) == whole[start:end], (start, end)


async def test_random_ranges_of_a_larger_archive_are_slices_of_the_whole(drive: ArchiveDrive) -> None:
    archive = await drive.archive(await a_tree(drive))
    whole, chance = await drive.read(archive), random.Random(7)
    for _ in range(60):
        start, end = sorted((chance.randrange(len(whole) + 1), chance.randrange(len(whole) + 1)))
        assert await drive.read(archive, start, end) == whole[start:end], (start, end)
    for start in range(len(whole) - 700, len(whole), 13):
        assert await drive.read(archive, start) == whole[start:], start


async def test_bytes_size_and_etag_do_not_depend_on_when_the_crc_became_known(drive: ArchiveDrive) -> None:
    top = await a_tree(drive)
    large = await drive.file("more", b"m" * 400_000, top)
    before = await drive.archive(top)
    end = await drive.read(before, before.snapshot.size - 600)
    assert await drive.crc_of(large) == zlib.crc32(b"m" * 400_000)
    after = await drive.archive(top)
    assert (before.snapshot.size, before.snapshot.etag) == (after.snapshot.size, after.snapshot.etag)
    whole = await drive.read(after)
    assert whole.endswith(end)
    assert whole == await drive.read(before)


async def test_a_crc_is_computed_once_and_kept(drive: ArchiveDrive) -> None:
    file = await drive.file("a.txt", b"hello")
    await drive.zip_of(file)
    assert await drive.crc_of(file) == zlib.crc32(b"hello")
    await drive.change(file, crc32=7)
    opened = await drive.read(await drive.archive(file))
    assert (7).to_bytes(4, "little") in opened


async def test_a_crc_is_not_kept_for_other_bytes(drive: ArchiveDrive) -> None:
    file = await drive.file("a.txt", b"hello")
    [key] = drive.store.objects
    await drive.change(file, object_key="files/other")
    assert await drive.checksums.compute(StoredBytes(file, key, 5)) == zlib.crc32(b"hello")
    assert await drive.crc_of(file) is None


async def test_computing_a_crc_goes_on_without_its_client_and_is_shared(drive: ArchiveDrive) -> None:
    file = await drive.file("large", b"x" * 300_000)
    archive = await drive.archive(file)
    downloads = [asyncio.create_task(drive.read(archive)) for _ in range(3)]
    await asyncio.sleep(0)
    downloads[0].cancel()
    done = await asyncio.gather(*downloads, return_exceptions=True)
    assert isinstance(done[0], asyncio.CancelledError)
    assert done[1] == done[2]

    async def known() -> bool:
        return await drive.crc_of(file) == zlib.crc32(b"x" * 300_000)

    await eventually(known, why="the CRC-32 is kept")


@pytest.mark.parametrize("change", ["rename", "replace", "trash", "add", "folder"])
async def test_any_change_gives_another_etag(drive: ArchiveDrive, change: str) -> None:
    top = await a_tree(drive)
    file = await drive.file("changing.txt", b"12345", top)
    before = (await drive.archive(top)).snapshot.etag
    match change:
        case "rename":
            await drive.change(file, name="changed.txt")
        case "replace":
            drive.store.objects["files/new"] = b"54321"
            await drive.change(file, object_key="files/new")
        case "trash":
            await drive.change(file, trashed_at=drive.clock.now, trash_root_id=file, trash_state="KEPT")
        case "add":
            await drive.file("new.txt", b"", top)
        case "folder":
            await drive.folder("new", top)
    assert (await drive.archive(top)).snapshot.etag != before


async def test_what_does_not_change_the_archive_leaves_the_etag(drive: ArchiveDrive) -> None:
    top = await a_tree(drive)
    file = await drive.file("same.txt", b"12345", top)
    before = (await drive.archive(top)).snapshot.etag
    await drive.change(file, visibility="PUBLIC", version=9, updated_at=drive.clock.now + timedelta(days=1), crc32=5)
    assert (await drive.archive(top)).snapshot.etag == before


async def test_a_download_goes_on_from_its_snapshot(drive: ArchiveDrive) -> None:
    top = await a_tree(drive)
    archive = await drive.archive(top)
    whole = await drive.read(archive)
    chunks = drive.archives.stream(archive, 0, archive.snapshot.size)
    sent = await anext(chunks)
    await drive.file("b.txt", b"new", top)
    async for chunk in chunks:
        sent += chunk
    assert sent == whole


@pytest.mark.parametrize("size", [5, 300_000])
async def test_a_download_is_aborted_when_an_object_is_gone(drive: ArchiveDrive, size: int) -> None:
    top = await a_tree(drive)
    file = await drive.file("zz.txt", b"x" * size, top)
    archive = await drive.archive(top)
    keys = set(drive.store.objects)
    await drive.zip_of(file)
    [key] = [key for key in keys if drive.store.objects[key] == b"x" * size]
    drive.store.objects[key] = b"x"
    with pytest.raises(DamagedObjectError):
        await drive.read(archive)
    del drive.store.objects[key]
    with pytest.raises(ObjectNotFoundError):
        await drive.read(archive)


async def test_a_large_archive_is_read_again_page_by_page(drive: ArchiveDrive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Members beyond those that are kept in memory; two folders have more files than a page."""
    monkeypatch.setattr(snapshot, "KEPT_MEMBERS", 50)
    monkeypatch.setattr(subtree, "PAGE_ROWS", 20)
    top = await drive.folder("top")
    many, more = await drive.folder("many", top), await drive.folder("more", top)
    for number in range(30):
        await drive.files(["x", "y"], await drive.folder(f"f{number:02}", top))
    await drive.files([f"{number:03}" for number in range(100)], many)
    await drive.files([f"{'<>?'[number % 3]}{number // 3:03}" for number in range(60)], more)
    archive = await drive.zip_of(top)
    assert len(archive.namelist()) == len(set(archive.namelist())) == 3 + 30 + 60 + 100 + 60
    assert {archive.read(f"top/many/{number:03}") for number in range(100)} == {
        f"{number}:{number:03}".encode() for number in range(100)
    }
    made = await drive.archive(top)
    assert sum(page.members is None for page in made.snapshot.pages) > 5
    whole, chance = await drive.read(made), random.Random(3)
    for _ in range(20):
        start, end = sorted((chance.randrange(len(whole)), chance.randrange(len(whole))))
        assert await drive.read(made, start, end) == whole[start:end]


async def test_a_large_archive_is_aborted_when_the_rest_has_changed(
    drive: ArchiveDrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "KEPT_MEMBERS", 10)
    monkeypatch.setattr(subtree, "PAGE_ROWS", 10)
    top = await drive.folder("top")
    await drive.files([f"{number:02}" for number in range(40)], top)
    last = await drive.file("99", b"last", top)
    archive = await drive.archive(top)
    whole = await drive.read(archive)
    await drive.change(last, name="98")
    with pytest.raises(ArchiveChangedError):
        await drive.read(archive)
    assert await drive.read(archive, 0, 500) == whole[:500]


async def test_files_that_cannot_be_read_are_named_before_anything_is_sent(drive: ArchiveDrive) -> None:
    top = await a_tree(drive)
    inner = await drive.folder("half", top)
    uploading = await drive.uploading("slow.bin", inner)
    with pytest.raises(Problem, match=r"409 not-ready: The file Đề tài/half/slow\.bin") as refused:
        await drive.archive(top)
    assert refused.value.members["path"] == "Đề tài/half/slow.bin"
    with pytest.raises(Problem, match=r"409 not-ready: The file slow\.bin"):
        await drive.archive(uploading)
    await drive.change(uploading, object_key="files/x", damage="it is shorter")
    with pytest.raises(Problem, match=r"409 file-damaged: The stored bytes of Đề tài/half/slow\.bin are damaged"):
        await drive.archive(top)


async def test_only_the_owners_nodes_that_are_not_in_the_trash_are_found(drive: ArchiveDrive) -> None:
    own = await a_tree(drive)
    theirs = await drive.folder("theirs", owner=await add_user(drive.database))
    trashed = await drive.file("gone", trashed_at=drive.clock.now, trash_state="KEPT")
    for ids in ([theirs], [own, theirs], [trashed], [new_id()], ["x"], [own, ""]):
        with pytest.raises(Problem, match="404 not-found"):
            await drive.archive(*ids)


async def test_what_is_in_the_trash_is_left_out(drive: ArchiveDrive) -> None:
    top = await a_tree(drive)
    await drive.file("gone", parent=top, trashed_at=drive.clock.now, trash_state="KEPT")
    assert not [name for name in (await drive.zip_of(top)).namelist() if "gone" in name]


async def test_more_than_an_archive_can_have_is_refused(drive: ArchiveDrive, monkeypatch: pytest.MonkeyPatch) -> None:
    top = await a_tree(drive)
    monkeypatch.setattr(snapshot, "MAX_FILES", 4)
    with pytest.raises(Problem, match="422 archive-too-large"):
        await drive.archive(top)
    monkeypatch.setattr(snapshot, "MAX_FILES", 5)
    await drive.archive(top)
    monkeypatch.setattr("metastore.features.archives.service.MAX_FOLDERS", 3)
    with pytest.raises(Problem, match="422 archive-too-large"):
        await drive.archive(top)


class HugeStore(MemoryObjectStore):
    """A store with objects of zeros as large as is asked for."""

    async def read(self, key: str, *, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """See ``ObjectStore``."""
        if self.objects.get(key):
            yield self.objects[key][offset : None if length is None else offset + length]
            return
        assert length is not None
        while length > 0:
            yield bytes(min(length, 2**20))
            length -= 2**20


async def test_members_over_4_gib_and_what_follows_them_are_where_the_directory_says(
    drive: ArchiveDrive, tmp_path: Path
) -> None:
    """Only what is around the large bytes is read, into a sparse file."""
    # Not of exactly 4 GiB - 1: unzip takes the zip64 field of the next member for that of its size then.
    drive = ArchiveDrive(drive.database, drive.owner, HugeStore(), drive.clock)
    top = await drive.folder("films")
    await drive.file("a huge one", b"", top, size=5 * 2**30, crc32=1)
    await drive.file("b one of four gibibytes", b"", top, size=2**32, crc32=2)
    await drive.file("c", b"small", top)
    archive = await drive.archive(top)
    edges = [0, 5 * 2**30, 5 * 2**30 + 2**32]
    with (tmp_path / "films.zip").open("wb") as file:
        for edge in edges:
            start = max(0, edge - 100)
            file.seek(start)
            file.write(await drive.read(archive, start, min(archive.snapshot.size, edge + 2000)))
    opened = zipfile.ZipFile(tmp_path / "films.zip")
    assert [each.file_size for each in opened.infolist()] == [0, 5 * 2**30, 2**32, 5]
    assert opened.read("films/c") == b"small"
    assert (tmp_path / "films.zip").stat().st_size == archive.snapshot.size
    for name in ("films/a huge one", "films/b one of four gibibytes"):
        with opened.open(name) as member:
            assert member.read(1000) == bytes(1000)
    command = ["unzip", "-Z1", str(tmp_path / "films.zip")]
    listed = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    assert listed.stdout.splitlines() == opened.namelist()


async def test_memory_does_not_grow_with_the_size_of_a_file(drive: ArchiveDrive) -> None:
    drive = ArchiveDrive(drive.database, drive.owner, HugeStore(), drive.clock)
    file = await drive.file("large", b"", size=2**28, crc32=1)
    archive = await drive.archive(file)
    tracemalloc.start()
    try:
        async for _ in drive.archives.stream(archive, 0, archive.snapshot.size):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * 2**20
