"""Streams as found and built by their service, on both databases."""

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
    """One user's videos, and the service that streams them."""

    database: Database
    store: MemoryObjectStore
    owner: str
    streams: StreamUrls
    streaming: StreamingService

    async def show(self, plan: Plan) -> str:
        """Add a video; return its id."""
        return await plant(self.database, self.store, self.owner, plan)

    def token(self, file_id: str, link_id: str | None = None) -> str:
        """Return a token for a file."""
        return self.streams.base_of(file_id, link_id=link_id).rsplit("/", 1)[1]

    async def master(self, file_id: str) -> CacheableText:
        """Return its master playlist."""
        async with self.database.reading() as tx:
            playable = await self.streaming.find_master(tx, self.token(file_id))
        return self.streaming.master(playable)

    async def media(self, file_id: str, name: str) -> CacheableText:
        """Return one of its media playlists."""
        async with self.database.reading() as tx:
            found = await self.streaming.find_media(tx, self.token(file_id), name)
        return await self.streaming.media(found)

    async def change(self, file_id: str, **values: object) -> None:
        """Update the file's row."""
        async with self.database.transaction() as tx:
            await tx.session.execute(update(Node).where(Node.id == file_id).values(values))


@pytest.fixture
async def cinema(database: Database) -> Cinema:
    store = MemoryObjectStore()
    streams = StreamUrls(b"k" * 32, HOUR)
    files = FilesService(store, presign_ttl=HOUR, streams=streams)
    return Cinema(database, store, await add_user(database), streams, StreamingService(store, files, streams))


async def test_the_master_playlist_of_a_finished_video_lists_all_renditions(cinema: Cinema, reel: Reel) -> None:
    """With all attributes, largest first; it may be cached for a while."""
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


async def test_finished_renditions_are_preferred_to_unfinished_ones(cinema: Cinema, reel: Reel) -> None:
    """A rendition is listed once it is done; until then the master playlist may change and must not be cached."""
    file_id = await cinema.show(Plan(reel, made={"v90": 1}, status="PROCESSING"))
    written = await cinema.master(file_id)
    assert ["v180.m3u8"] == [variant.uri for variant in read_master(written.text, []).variants]
    assert 0 == written.max_age
    for number in range(1, len(reel["v90"].segments)):
        await grow(cinema.database, cinema.store, file_id, reel["v90"], number)
    assert 2 == len(read_master((await cinema.master(file_id)).text, []).variants)


async def test_a_video_can_be_played_from_its_first_segments_on(cinema: Cinema, reel: Reel) -> None:
    """If no rendition is done, those with segments are listed, with the bandwidth of the segments so far."""
    made = {"v180": 2, "v90": 0, "a0": 1, "a1": 1}
    file_id = await cinema.show(Plan(reel, made=made, status="PROCESSING"))
    faults: list[str] = []
    master = read_master((await cinema.master(file_id)).text, faults)
    assert [] == faults
    [variant] = master.variants
    assert "v180.m3u8" == variant.uri
    fullest = max(size * 8_000_000 / duration for size, duration in reel["v180"].weights[:2])
    assert fullest < variant.bandwidth < 2 * fullest + 300_000


async def test_a_media_playlist_only_grows_at_its_end(cinema: Cinema, reel: Reel) -> None:
    """After the last segment it ends and may be cached."""
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


async def test_players_start_a_growing_playlist_at_its_beginning(cinema: Cinema, reel: Reel) -> None:
    """They would take it for a live stream otherwise."""
    file_id = await cinema.show(Plan(reel, made={"v180": 1}))
    assert "#EXT-X-START:TIME-OFFSET=0\n" in (await cinema.media(file_id, "v180")).text
    assert "EXT-X-START" not in (await cinema.media(file_id, "v90")).text


async def test_an_audio_file_has_one_audio_variant(cinema: Cinema, reel: Reel) -> None:
    """A group is only needed to select from several tracks."""
    one = await cinema.show(Plan({"a0": reel["a0"]}, name="song.mp3", mime_type="audio/mpeg"))
    faults: list[str] = []
    master = read_master((await cinema.master(one)).text, faults)
    assert (["a0.m3u8"], []) == ([variant.uri for variant in master.variants], master.tracks)
    two = await cinema.show(Plan({"a0": reel["a0"], "a1": reel["a1"]}, name="song.mka", mime_type="audio/x-matroska"))
    master = read_master((await cinema.master(two)).text, faults)
    assert (["a0.m3u8"], 2) == ([variant.uri for variant in master.variants], len(master.tracks))
    assert [] == faults


async def test_a_video_without_audio_has_no_audio_group(cinema: Cinema, reel: Reel) -> None:
    file_id = await cinema.show(Plan({"v90": reel["v90"]}))
    faults: list[str] = []
    [variant] = read_master((await cinema.master(file_id)).text, faults).variants
    assert "AUDIO" not in variant.attributes
    assert [] == faults


async def test_a_video_cannot_be_played_before_its_first_video_segment(cinema: Cinema, reel: Reel) -> None:
    """Audio segments alone are not enough."""
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
async def test_damaged_trashed_and_unplayable_files_are_not_streamed(
    cinema: Cinema, reel: Reel, change: dict[str, object]
) -> None:
    """Existing tokens stop working at once, on every path."""
    file_id = await cinema.show(Plan(reel, sprite=True))
    subtitles = await plant_file(cinema.database, cinema.store, cinema.owner, "film.srt", SRT, "text/plain")
    token = cinema.token(file_id)
    await _assert_all_streamed(cinema, token, subtitles)
    await cinema.change(file_id, **change)
    await _assert_none_streamed(cinema, token, subtitles)


async def test_a_purged_file_is_not_streamed(cinema: Cinema, reel: Reel) -> None:
    """Even if its renditions have not been deleted yet."""
    file_id = await cinema.show(Plan(reel, sprite=True))
    async with cinema.database.transaction() as tx:
        await tx.session.delete(await tx.session.get_one(Node, file_id))
    await _assert_none_streamed(cinema, cinema.token(file_id), new_id())


async def test_the_token_of_a_share_link_is_checked_on_every_request(cinema: Cinema, reel: Reel) -> None:
    """By default it grants nothing; otherwise ``may_stream`` decides each time."""
    file_id, link_id = await cinema.show(Plan(reel, sprite=True)), new_id()
    token = cinema.token(file_id, link_id)
    await _assert_none_streamed(cinema, token, new_id())
    checked: list[StreamPass] = []
    is_allowed = True

    async def may_stream(_tx: Transaction, allowed: StreamPass) -> bool:
        checked.append(allowed)
        return is_allowed

    files = FilesService(cinema.store, streams=cinema.streams)
    shared = replace(cinema, streaming=StreamingService(cinema.store, files, cinema.streams, may_stream))
    subtitles = await plant_file(cinema.database, cinema.store, cinema.owner, "film.srt", SRT, "text/plain")
    await _assert_all_streamed(shared, token, subtitles)
    assert {(file_id, link_id)} == {(allowed.file_id, allowed.link_id) for allowed in checked}
    is_allowed = False
    await _assert_none_streamed(shared, token, subtitles)


async def test_only_the_owner_finds_the_stream_of_a_file(cinema: Cinema, reel: Reel) -> None:
    """For others it does not exist."""
    file_id = await cinema.show(Plan(reel))
    stranger = await add_user(cinema.database)
    async with cinema.database.reading() as tx:
        await cinema.streaming.find_stream(tx, cinema.owner, file_id)
        with pytest.raises(Problem) as refused:
            await cinema.streaming.find_stream(tx, stranger, file_id)
    assert 404 == refused.value.status


SRT = b"1\n00:00:01,000 --> 00:00:02,000\nHello\n"


async def _assert_all_streamed(cinema: Cinema, token: str, subtitles: str) -> None:
    async with cinema.database.reading() as tx:
        await cinema.streaming.find_master(tx, token)
        await cinema.streaming.find_media(tx, token, "v180")
        await cinema.streaming.find_sprite(tx, token)
        await cinema.streaming.find_subtitles(tx, token, subtitles)


async def _assert_none_streamed(cinema: Cinema, token: str, subtitles: str) -> None:
    async with cinema.database.reading() as tx:
        for request in (
            cinema.streaming.find_master(tx, token),
            cinema.streaming.find_media(tx, token, "v180"),
            cinema.streaming.find_sprite(tx, token),
            cinema.streaming.find_subtitles(tx, token, subtitles),
        ):
            with pytest.raises(Problem) as refused:
                await request
            assert 404 == refused.value.status
