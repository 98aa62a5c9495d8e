"""Storing files that arrive whole; the package describes what a crash leaves."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import JsonValue

from metastore.features.auth.accounts import quota
from metastore.features.files.content.sniffing import SNIFFED_BYTES
from metastore.features.files.representation.serialization import node_json
from metastore.features.files.service import FilesService
from metastore.features.files.tree.access import FolderAccess
from metastore.features.files.tree.names import normalize_name, split_path
from metastore.features.files.tree.placement import NewFile, PlacedFile
from metastore.features.uploads.events import UploadInitiated
from metastore.features.uploads.multipart.ingest_saga import start_processing
from metastore.features.uploads.multipart.limits import UploadLimits
from metastore.features.uploads.multipart.problems import problem_of_store, too_large
from metastore.features.uploads.multipart.sniffing import examine
from metastore.features.uploads.whole.content import CheckedContent, Content, chunks_of, crcs_of
from metastore.features.uploads.whole.object_keys import ObjectKeys, ReservedKeys
from metastore.kit.clock import Clock
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem
from metastore.ports.object_store import NewObject, ObjectStore, ObjectStoreError, StoredObject

_IN_MEMORY = 8 * 2**20
"""How many bytes are handed to the store at once; a longer file is streamed."""

_FEW = 10
"""Up to this many files, a transaction is short enough to share its commit with others."""

FileJson = dict[str, JsonValue]
Outcome = FileJson | Problem
"""A new file as the API shows it, or the problem for which it was not stored."""
Respond = Callable[[Transaction, Sequence[Outcome]], Awaitable[None]]
"""Called in the transaction that creates the files, to store the response with it."""


@dataclass(frozen=True, slots=True)
class WholeFile:
    """A file as a client sends it: the path of its folder, its name, and the content type that it claims."""

    path: str
    name: str
    content_type: str
    content: Content
    visibility: str = "PRIVATE"
    problem: Problem | None = None
    """What was already found wrong with it."""


class _Accepted(NamedTuple):
    """A file that may be stored: its place and its content type, and the key of its object."""

    sent: WholeFile
    folders: tuple[str, ...]
    name: str
    mime_type: str
    needs_processing: bool
    key: str = ""


class WholeUploads:
    """Stores files that arrive whole. ``can_preview`` tells whether previews of a content type can be made here."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        files: FilesService,
        keys: ObjectKeys,
        limits: UploadLimits,
        clock: Clock,
        can_preview: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._database = database
        self._store = store
        self._files = files
        self._keys = keys
        self._limits = limits
        self._clock = clock
        self._can_preview = can_preview

    async def store_one(self, place: FolderAccess, file: WholeFile, respond: Respond) -> FileJson:
        """Store a file in the tree of ``place`` and return it as the API shows it.

        Raises:
            Problem: 413 ``quota-exceeded`` or ``file-too-large``; 409 ``name-taken`` if the path leads through a file;
                422 for a bad name or path; 503 or 507 as for ``store_batch``. Nothing is kept.
        """
        accepted = await self._accept(file)
        made: list[FileJson] = []

        async def respond_or_fail(tx: Transaction, outcomes: Sequence[Outcome]) -> None:
            for outcome in outcomes:
                if isinstance(outcome, Problem):
                    raise outcome
                made.append(outcome)
            await respond(tx, outcomes)

        await self._store_files(place, [accepted], respond_or_fail)
        return made[0]

    async def store_batch(self, place: FolderAccess, files: Sequence[WholeFile], respond: Respond) -> list[Outcome]:
        """Store files in the tree of ``place`` together; return their outcomes in order.

        Each of them succeeds or fails by itself. The problems are those of ``store_one``. Nothing is kept of a file
        with a problem.

        Raises:
            Problem: 503 or 507 when the store or the database is unavailable or full. Nothing is kept.
        """
        checked: list[_Accepted | Problem] = []
        for file in files:
            try:
                checked.append(await self._accept(file))
            except Problem as problem:
                checked.append(problem)
        accepted = [each for each in checked if not isinstance(each, Problem)]

        def in_order(stored: Iterable[Outcome]) -> list[Outcome]:
            remaining = iter(stored)
            return [each if isinstance(each, Problem) else next(remaining) for each in checked]

        async def respond_in_order(tx: Transaction, stored: Sequence[Outcome]) -> None:
            await respond(tx, in_order(stored))

        return in_order(await self._store_files(place, accepted, respond_in_order) if accepted else [])

    async def _accept(self, sent: WholeFile) -> _Accepted:
        """Check what can be checked without the database, and sniff the content type.

        Raises:
            Problem: 413 ``file-too-large``; 422 for a bad name or path; ``sent.problem``.
        """
        if sent.problem is not None:
            raise sent.problem
        if sent.content.size > self._limits.max_file_size:
            raise too_large(self._limits.max_file_size)
        name, folders = normalize_name(sent.name), tuple(split_path(sent.path))
        head = await sent.content.read(0, SNIFFED_BYTES)
        mime_type, needs_processing = examine(head, name, sent.content_type, self._can_preview)
        return _Accepted(sent, folders, name, mime_type, needs_processing)

    async def _store_files(self, place: FolderAccess, accepted: Sequence[_Accepted], respond: Respond) -> list[Outcome]:
        reserved = await self._keys.reserve(len(accepted))
        files = [file._replace(key=key) for file, key in zip(accepted, reserved.keys, strict=True)]
        try:
            stored, crcs = await self._store_objects(files)
        except ObjectStoreError as error:
            await self._delete(reserved.keys)
            raise problem_of_store(error) from error
        try:
            outcomes = await self._create(place, reserved, files, stored, crcs, respond)
        except Problem as problem:
            # After any other failure, it is unknown whether the transaction was committed.
            if problem.status < 500:
                await self._delete(reserved.keys)
            raise
        await self._delete(file.key for file, made in zip(files, outcomes, strict=True) if isinstance(made, Problem))
        return outcomes

    async def _store_objects(self, files: Sequence[_Accepted]) -> tuple[list[StoredObject], list[int]]:
        """Store the bytes of the files; return what is stored, and the CRC-32 of each."""
        stored: list[StoredObject] = []
        crcs: list[int] = []
        for group in _groups(files):
            if len(group) == 1 and group[0].sent.content.size > _IN_MEMORY:
                key, _, mime_type = group[0].key, group[0].name, group[0].mime_type
                content = CheckedContent(group[0].sent.content)
                stored.append(await self._store.put(key, chunks_of(content), size=content.size, content_type=mime_type))
                crcs.append(content.crc32)
                continue
            objects = [
                NewObject(file.key, await file.sent.content.read(0, file.sent.content.size), file.mime_type)
                for file in group
            ]
            stored += await self._store.put_all(objects)
            crcs += await crcs_of([each.content for each in objects])
        return stored, crcs

    async def _create(
        self,
        place: FolderAccess,
        reserved: ReservedKeys,
        files: Sequence[_Accepted],
        stored: Sequence[StoredObject],
        crcs: Sequence[int],
        respond: Respond,
    ) -> list[Outcome]:
        """Charge the quota and create the files, in one transaction."""
        few = len(files) <= _FEW
        async with self._database.transaction() if few else self._database.long_transaction() as tx:
            outcomes: list[Outcome | PlacedFile | None] = [
                *await quota.charge(tx, place.owner_id, [each.size for each in stored])
            ]
            await self._keys.require_open(tx, reserved)
            charged = [number for number, outcome in enumerate(outcomes) if outcome is None]
            new = [_new_file(files[number], stored[number], crcs[number]) for number in charged]
            for number, made in zip(charged, await self._files.place_files(tx, place, new), strict=True):
                outcomes[number] = made
            unplaced = [stored[number].size for number in charged if isinstance(outcomes[number], Problem)]
            if any(unplaced):
                await quota.refund(tx, place.owner_id, sum(unplaced))
            final = await self._recorded(tx, place.owner_id, outcomes, stored)
            await respond(tx, final)
        return final

    async def _recorded(
        self,
        tx: Transaction,
        owner_id: str,
        outcomes: Sequence[Outcome | PlacedFile | None],
        stored: Sequence[StoredObject],
    ) -> list[Outcome]:
        """Record the events of the placed files, start the sagas of those that need it, and show them."""
        uploads = {outcome.row.id: new_id() for outcome in outcomes if isinstance(outcome, PlacedFile)}
        processed = {
            outcome.row.id: (uploads[outcome.row.id], outcome.row.name)
            for outcome in outcomes
            if isinstance(outcome, PlacedFile) and outcome.needs_processing
        }
        sagas = await start_processing(tx, owner_id, processed, self._clock())
        final: list[Outcome] = []
        for outcome, each in zip(outcomes, stored, strict=True):
            if isinstance(outcome, PlacedFile):
                row = outcome.row
                upload = {"upload_id": uploads[row.id], "file_id": row.id, "owner_id": owner_id, "name": row.name}
                tx.record(UploadInitiated(**upload, size=row.size))
                self._files.record_stored(tx, owner_id, outcome, each.key)
                final.append(node_json(row, outcome.folder_path, saga=sagas.get(row.id)))
            elif isinstance(outcome, Problem):
                final.append(outcome)
        return final

    async def _delete(self, keys: Iterable[str]) -> None:
        """Delete objects that have become no files. What cannot be deleted now is collected with their keys."""
        unused = list(keys)
        if unused:
            with suppress(ObjectStoreError):
                await self._store.delete(unused)


def _groups(files: Sequence[_Accepted]) -> Iterator[list[_Accepted]]:
    """Split files into groups that fit into memory together, and single ones that do not fit."""
    group: list[_Accepted] = []
    size = 0
    for file in files:
        if group and size + file.sent.content.size > _IN_MEMORY:
            yield group
            group, size = [], 0
        group.append(file)
        size += file.sent.content.size
    if group:
        yield group


def _new_file(file: _Accepted, stored: StoredObject, crc32: int) -> NewFile:
    return NewFile(
        folders=file.folders,
        name=file.name,
        size=stored.size,
        mime_type=file.mime_type,
        visibility=file.sent.visibility,
        object_key=stored.key,
        etag=stored.etag,
        checksum=stored.checksum,
        needs_processing=file.needs_processing,
        crc32=crc32,
    )
