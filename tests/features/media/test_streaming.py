"""Streams as their service finds and writes them, on both databases."""

from dataclasses import dataclass, replace

import pytest
from sqlalchemy import update

from metastore.features.files.models import Node
from metastore.features.files.service import FilesService
from metastore.features.files.stream_urls import StreamPass, StreamUrls
from metastore.features.media.streaming import CacheableText, StreamingService
from metastore.kit.clock import utc_now
from metastore.kit.database import Database, Transaction
from metastore.kit.ids import new_id
from metastore.kit.problem import Problem
from tests.fixtures.accounts import add_user
from tests.fixtures.hls_validator import judge_growth, read_master, read_media
from tests.fixtures.memory_store import MemoryObjectStore
from tests.fixtures.streams import Plan, Reel, grow, plant, plant_file, reel

__all__ = ["reel"]

HOUR = 3600


@dataclass
class Cinema:
    """One user's films."""

    database: Database
    store: MemoryObjectStore
    owner: str
    streams: StreamUrls
    streaming: StreamingService

    async def show(self, plan: Plan) -> str:
        """Put a film there; returns its id."""
        return await plant(self.database, self.store, self.owner, plan)

    def token(self, file_id: str, link_id: str | None = None) -> str:
        """A token for it."""
        return self.streams.base_of(file_id, link_id=link_id).rsplit("/", 1)[1]

    async def master(self, file_id: str) -> CacheableText:
        """Its master playlist."""
        async with self.database.reading() as tx:
            film = await self.streaming.find_master(tx, self.token(file_id))
        return self.streaming.master(film)

    async def media(self, file_id: str, name: str) -> CacheableText:
        """One of its media playlists."""
        async with self.database.reading() as tx:
            strip = await self.streaming.find_media(tx, self.token(file_id), name)
        return await self.streaming.media(strip)

    async def change(self, file_id: str, **values: object) -> None:
        """Change the file's row."""
        async with self.database.transaction() as tx:
            await tx.session.execute(update(Node).where(Node.id == file_id).values(values))


@pytest.fixture
async def cinema(database: Database) -> Cinema:
    store = MemoryObjectStore()
    streams = StreamUrls(b"k" * 32, HOUR)
    files = FilesService(store, presign_ttl=HOUR, streams=streams)
    return Cinema(database, store, await add_user(database), streams, StreamingService(store, files, streams))


async def test_a_film_that_is_made_has_all_its_sizes_and_sounds(cinema: Cinema, reel: Reel) -> None:
    """Named by size, each with what a player has to know, and kept for a while."""
    file_id = await cinema.show(Plan(reel))
    written = await cinema.master(file_id)
    faults: list[str] = []
    master = read_master(written.text, faults)
    assert [] == faults
    assert ["v180.m3u8", "v90.m3u8"] == [variant.uri for variant in master.variants]
    assert ["320x180", "160x90"] == [variant.attributes["RESOLUTION"] for variant in master.variants]
    assert {"25.000"} == {variant.attributes["FRAME-RATE"] for variant in master.variants}
    assert [reel["v180"].codecs, "mp4a.40.2"] == master.variants[0].codecs
    assert [("Tiếng Việt", "vi", "YES"), ("en", "en", "NO")] == [
        (track["NAME"], track["LANGUAGE"], track["DEFAULT"]) for track in master.tracks
    ]
    assert 0 < written.max_age <= HOUR / 4


async def test_what_is_whole_is_preferred_to_what_is_being_made(cinema: Cinema, reel: Reel) -> None:
    """A size joins once it is done; the master may change until then, and is not kept."""
    file_id = await cinema.show(Plan(reel, made={"v90": 1}, status="PROCESSING"))
    written = await cinema.master(file_id)
    assert ["v180.m3u8"] == [variant.uri for variant in read_master(written.text, []).variants]
    assert 0 == written.max_age
    for number in range(1, len(reel["v90"].segments)):
        await grow(cinema.database, cinema.store, file_id, reel["v90"], number)
    assert 2 == len(read_master((await cinema.master(file_id)).text, []).variants)


async def test_a_film_can_be_played_from_its_first_segments_on(cinema: Cinema, reel: Reel) -> None:
    """When no size is done, those that have begun are named, at the rates of what there is."""
    made = {"v180": 2, "v90": 0, "a0": 1, "a1": 1}
    file_id = await cinema.show(Plan(reel, made=made, status="PROCESSING"))
    faults: list[str] = []
    master = read_master((await cinema.master(file_id)).text, faults)
    assert [] == faults
    [variant] = master.variants
    assert "v180.m3u8" == variant.uri
    fullest = max(size * 8_000_000 / duration for size, duration in reel["v180"].weights[:2])
    assert fullest < variant.bandwidth < 2 * fullest + 300_000


async def test_a_rendition_grows_at_its_end_alone(cinema: Cinema, reel: Reel) -> None:
    """From the first segment to the last; then it has an end, and may be kept."""
    file_id = await cinema.show(Plan(reel, made={"v180": 1}, status="PROCESSING"))
    faults: list[str] = []
    written = await cinema.media(file_id, "v180")
    before = read_media(written.text, faults)
    assert (1, "EVENT", False) == (len(before.pieces), before.kind, before.ended)
    for number in range(1, len(reel["v180"].segments)):
        await grow(cinema.database, cinema.store, file_id, reel["v180"], number)
        written = await cinema.media(file_id, "v180")
        after = read_media(written.text, faults)
        assert number + 1 == len(after.pieces)
        judge_growth(before, after, faults)
        before = after
    assert [] == faults
    assert ("VOD", True) == (before.kind, before.ended)
    assert 0 < written.max_age


async def test_players_begin_at_the_beginning_of_what_is_growing(cinema: Cinema, reel: Reel) -> None:
    """They would take it for a broadcast otherwise."""
    file_id = await cinema.show(Plan(reel, made={"v180": 1}))
    assert "#EXT-X-START:TIME-OFFSET=0\n" in (await cinema.media(file_id, "v180")).text
    assert "EXT-X-START" not in (await cinema.media(file_id, "v90")).text


async def test_sound_alone_is_a_variant_of_its_own(cinema: Cinema, reel: Reel) -> None:
    """With one track no group is needed; with more they can be chosen from."""
    one = await cinema.show(Plan({"a0": reel["a0"]}, name="song.mp3", mime_type="audio/mpeg"))
    faults: list[str] = []
    master = read_master((await cinema.master(one)).text, faults)
    assert (["a0.m3u8"], []) == ([variant.uri for variant in master.variants], master.tracks)
    two = await cinema.show(Plan({"a0": reel["a0"], "a1": reel["a1"]}, name="song.mka", mime_type="audio/x-matroska"))
    master = read_master((await cinema.master(two)).text, faults)
    assert (["a0.m3u8"], 2) == ([variant.uri for variant in master.variants], len(master.tracks))
    assert [] == faults


async def test_a_film_without_sound_is_fine(cinema: Cinema, reel: Reel) -> None:
    """No group is named."""
    file_id = await cinema.show(Plan({"v90": reel["v90"]}))
    faults: list[str] = []
    [variant] = read_master((await cinema.master(file_id)).text, faults).variants
    assert "AUDIO" not in variant.attributes
    assert [] == faults


async def test_sound_without_its_picture_is_no_film(cinema: Cinema, reel: Reel) -> None:
    """While the picture has not begun there is nothing to play."""
    file_id = await cinema.show(Plan(reel, made={"v180": 0, "v90": 0}))
    with pytest.raises(Problem) as refused:
        await cinema.master(file_id)
    assert 404 == refused.value.status
    with pytest.raises(Problem) as refused:
        await cinema.media(file_id, "v180")
    assert 404 == refused.value.status


@pytest.mark.parametrize(
    "change",
    [{"damage": "bytes are missing"}, {"trashed_at": utc_now()}, {"playable_at": None}],
    ids=["damaged", "trashed", "not playable"],
)
async def test_nothing_is_played_of_what_must_not_be(cinema: Cinema, reel: Reel, change: dict[str, object]) -> None:
    """Whoever holds a token: every path below it is closed at once."""
    file_id = await cinema.show(Plan(reel, sprite=True))
    subtitles = await plant_file(cinema.database, cinema.store, cinema.owner, "film.srt", SRT, "text/plain")
    token = cinema.token(file_id)
    await _all_paths(cinema, token, subtitles)
    await cinema.change(file_id, **change)
    await _no_path(cinema, token, subtitles)


async def test_a_purged_film_is_gone(cinema: Cinema, reel: Reel) -> None:
    """Though its renditions may still lie there for a moment."""
    file_id = await cinema.show(Plan(reel, sprite=True))
    async with cinema.database.transaction() as tx:
        await tx.session.delete(await tx.session.get_one(Node, file_id))
    await _no_path(cinema, cinema.token(file_id), new_id())


async def test_a_links_token_is_asked_about_each_time(cinema: Cinema, reel: Reel) -> None:
    """Without anybody to ask, it opens nothing; with somebody, what they say holds at once."""
    file_id, link_id = await cinema.show(Plan(reel, sprite=True)), new_id()
    token = cinema.token(file_id, link_id)
    await _no_path(cinema, token, new_id())
    asked: list[StreamPass] = []
    answer = True

    async def may_stream(_tx: Transaction, allowed: StreamPass) -> bool:
        asked.append(allowed)
        return answer

    files = FilesService(cinema.store, streams=cinema.streams)
    shared = replace(cinema, streaming=StreamingService(cinema.store, files, cinema.streams, may_stream))
    subtitles = await plant_file(cinema.database, cinema.store, cinema.owner, "film.srt", SRT, "text/plain")
    await _all_paths(shared, token, subtitles)
    assert {(file_id, link_id)} == {(allowed.file_id, allowed.link_id) for allowed in asked}
    answer = False
    await _no_path(shared, token, subtitles)


async def test_only_the_owner_is_told_where_a_film_streams(cinema: Cinema, reel: Reel) -> None:
    """To others it does not exist."""
    file_id = await cinema.show(Plan(reel))
    stranger = await add_user(cinema.database)
    async with cinema.database.reading() as tx:
        await cinema.streaming.find_stream(tx, cinema.owner, file_id)
        with pytest.raises(Problem) as refused:
            await cinema.streaming.find_stream(tx, stranger, file_id)
    assert 404 == refused.value.status


SRT = b"1\n00:00:01,000 --> 00:00:02,000\nHello\n"


async def _all_paths(cinema: Cinema, token: str, subtitles: str) -> None:
    async with cinema.database.reading() as tx:
        await cinema.streaming.find_master(tx, token)
        await cinema.streaming.find_media(tx, token, "v180")
        await cinema.streaming.find_sprite(tx, token)
        await cinema.streaming.find_subtitles(tx, token, subtitles)


async def _no_path(cinema: Cinema, token: str, subtitles: str) -> None:
    async with cinema.database.reading() as tx:
        for attempt in (
            cinema.streaming.find_master(tx, token),
            cinema.streaming.find_media(tx, token, "v180"),
            cinema.streaming.find_sprite(tx, token),
            cinema.streaming.find_subtitles(tx, token, subtitles),
        ):
            with pytest.raises(Problem) as refused:
                await attempt
            assert 404 == refused.value.status
