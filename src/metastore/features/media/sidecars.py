"""The subtitles that lie beside a film: found when they are asked for, so that they may come, change and go."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from metastore.features.files import lookup
from metastore.features.files.lookup import StreamedFile
from metastore.features.files.names import split_suffix
from metastore.features.media.subtitles import LARGEST, NotSubtitlesError, language_beside, web_vtt
from metastore.kit.database import Transaction
from metastore.kit.problem import not_found, unavailable
from metastore.ports.object_store import ObjectNotFoundError, ObjectStore, ObjectStoreError

_LOOKED_AT = 200
_SHOWN = 32
_KEPT = 32


@dataclass(frozen=True, slots=True)
class Subtitles:
    """A track: the file that it is in, what to call it, and its language by BCP 47."""

    id: str
    name: str
    language: str | None
    object_key: str
    size: int


async def subtitles_of(tx: Transaction, file: StreamedFile) -> list[Subtitles]:
    """A film's subtitles, in the order of their files' names."""
    stem = split_suffix(file.name)[0]
    found = []
    for sidecar in await lookup.beside(tx, file, limit=_LOOKED_AT):
        belongs, language = language_beside(stem, sidecar.name)
        if belongs and 0 < sidecar.size <= LARGEST:
            name = language or sidecar.name
            found.append(Subtitles(sidecar.id, name, language, sidecar.object_key, sidecar.size))
    return found[:_SHOWN]


class SubtitleTexts:
    """Subtitles as WebVTT; those of late are kept, since objects never change."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._texts: OrderedDict[str, str] = OrderedDict()

    async def of(self, track: Subtitles) -> str:
        """The text of a track.

        Raises:
            Problem: 404 when it is none after all; 503 when the store does not answer.
        """
        text = self._texts.get(track.object_key)
        if text is None:
            try:
                data = b"".join([chunk async for chunk in self._store.read(track.object_key, length=LARGEST)])
                text = await asyncio.to_thread(web_vtt, data)
            except (ObjectNotFoundError, NotSubtitlesError) as error:
                raise not_found("subtitle track") from error
            except ObjectStoreError as error:
                raise unavailable("The object store does not respond.") from error
            self._texts[track.object_key] = text
            if len(self._texts) > _KEPT:
                self._texts.popitem(last=False)
        self._texts.move_to_end(track.object_key)
        return text
