"""Streams as found and built by their service, on both databases."""

from dataclasses import dataclass

import pytest
from sqlalchemy import update

from metastore.features.files.delivery import Delivery
from metastore.features.files.models import Node
from metastore.features.files.representation.stream_urls import StreamUrls
from metastore.features.files.service import FilesService
from metastore.features.files.tree import grants
from metastore.features.files.tree.access import authorize_file
from metastore.features.files.tree.grants import GrantRow
from metastore.features.files.tree.rights import Right
from metastore.features.media.playback.streaming import CacheableText, StreamingService
from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Database
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem
from tests.fixtures.accounts import add_user, signed_in
from tests.fixtures.hls_validator import check_growth, read_master, read_media
from tests.fixtures.memory_store import MemoryObjectStore
from tests.fixtures.stored_films import Renditions, StoredFilm, add_segment, film_renditions, store_file, store_film

__all__ = ["film_renditions"]

HOUR = 3600


@dataclass
class FilmLibrary:
    """One user's videos, and the service that streams them."""

    database: Database
    store: MemoryObjectStore
    owner: str
    streams: StreamUrls
    streaming: StreamingService

    async def show(self, plan: StoredFilm) -> str:
        """Add a video; return its id."""
        return await store_film(self.database, self.store, self.owner, plan)

    def token(self, file_id: str, link_id: str | None = None) -> str:
        """Return a token for a file."""
        return self.streams.stream_base_url(file_id, link_id=link_id).rsplit("/", 1)[1]

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

    async def grant(self, node_id: str, link_id: str) -> str:
        """Give visitors of a link the right to view something; return the grant's ID."""
        grant = GrantRow(new_id(), node_id, self.owner, link_id, 0, Right.VIEW.value, utc_now(), None)
        async with self.database.transaction() as tx:
            await grants.insert(tx, grant)
        return grant.id

    async def change(self, file_id: str, **values: object) -> None:
        """Update the file's row."""
        async with self.database.transaction() as tx:
            await tx.session.execute(update(Node).where(Node.id == file_id).values(values))


@pytest.fixture
async def films(database: Database) -> FilmLibrary:
    store = MemoryObjectStore()
    streams = StreamUrls(b"k" * 32, HOUR)
    delivery = Delivery(store, HOUR)
    streaming = StreamingService(store, delivery, FilesService(delivery, streams=streams), streams)
    return FilmLibrary(database, store, await add_user(database), streams, streaming)


async def test_the_master_playlist_of_a_finished_video_lists_all_renditions(
    films: FilmLibrary, film_renditions: Renditions
) -> None:
    """With all attributes, largest first; it may be cached for a while."""
    file_id = await films.show(StoredFilm(film_renditions))
    written = await films.master(file_id)
    faults: list[str] = []
    master = read_master(written.text, faults)
    assert [] == faults
    assert ["v180.m3u8", "v90.m3u8"] == [variant.uri for variant in master.variants]
    assert ["320x180", "160x90"] == [variant.attributes["RESOLUTION"] for variant in master.variants]
    assert {"25.000"} == {variant.attributes["FRAME-RATE"] for variant in master.variants}
    assert [film_renditions["v180"].codecs, "mp4a.40.2"] == master.variants[0].codecs
    assert [("Tiếng Việt", "vi", "YES"), ("en", "en", "NO")] == [
        (track["NAME"], track["LANGUAGE"], track["DEFAULT"]) for track in master.tracks
    ]
    assert 0 < written.max_age <= HOUR / 4


async def test_finished_renditions_are_preferred_to_unfinished_ones(
    films: FilmLibrary, film_renditions: Renditions
) -> None:
    """A rendition is listed once it is done; until then the master playlist may change and must not be cached."""
    file_id = await films.show(StoredFilm(film_renditions, made={"v90": 1}, status="PROCESSING"))
    written = await films.master(file_id)
    assert ["v180.m3u8"] == [variant.uri for variant in read_master(written.text, []).variants]
    assert 0 == written.max_age
    for number in range(1, len(film_renditions["v90"].segments)):
        await add_segment(films.database, films.store, file_id, film_renditions["v90"], number)
    assert 2 == len(read_master((await films.master(file_id)).text, []).variants)


async def test_a_video_can_be_played_from_its_first_segments_on(
    films: FilmLibrary, film_renditions: Renditions
) -> None:
    """If no rendition is done, those with segments are listed, with the bandwidth of the segments so far."""
    made = {"v180": 2, "v90": 0, "a0": 1, "a1": 1}
    file_id = await films.show(StoredFilm(film_renditions, made=made, status="PROCESSING"))
    faults: list[str] = []
    master = read_master((await films.master(file_id)).text, faults)
    assert [] == faults
    [variant] = master.variants
    assert "v180.m3u8" == variant.uri
    fullest = max(size * 8_000_000 / duration for size, duration in film_renditions["v180"].weights[:2])
    assert fullest < variant.bandwidth < 2 * fullest + 300_000


async def test_a_media_playlist_only_grows_at_its_end(films: FilmLibrary, film_renditions: Renditions) -> None:
    """After the last segment it ends and may be cached."""
    file_id = await films.show(StoredFilm(film_renditions, made={"v180": 1}, status="PROCESSING"))
    faults: list[str] = []
    written = await films.media(file_id, "v180")
    before = read_media(written.text, faults)
    assert (1, "EVENT", False) == (len(before.segments), before.kind, before.ended)
    for number in range(1, len(film_renditions["v180"].segments)):
        await add_segment(films.database, films.store, file_id, film_renditions["v180"], number)
        written = await films.media(file_id, "v180")
        after = read_media(written.text, faults)
        assert number + 1 == len(after.segments)
        check_growth(before, after, faults)
        before = after
    assert [] == faults
    assert ("VOD", True) == (before.kind, before.ended)
    assert 0 < written.max_age


async def test_players_start_a_growing_playlist_at_its_beginning(
    films: FilmLibrary, film_renditions: Renditions
) -> None:
    """They would take it for a live stream otherwise."""
    file_id = await films.show(StoredFilm(film_renditions, made={"v180": 1}))
    assert "#EXT-X-START:TIME-OFFSET=0\n" in (await films.media(file_id, "v180")).text
    assert "EXT-X-START" not in (await films.media(file_id, "v90")).text


async def test_an_audio_file_has_one_audio_variant(films: FilmLibrary, film_renditions: Renditions) -> None:
    """A group is only needed to select from several tracks."""
    one = await films.show(StoredFilm({"a0": film_renditions["a0"]}, name="song.mp3", mime_type="audio/mpeg"))
    faults: list[str] = []
    master = read_master((await films.master(one)).text, faults)
    assert (["a0.m3u8"], []) == ([variant.uri for variant in master.variants], master.tracks)
    two = await films.show(
        StoredFilm(
            {"a0": film_renditions["a0"], "a1": film_renditions["a1"]}, name="song.mka", mime_type="audio/x-matroska"
        )
    )
    master = read_master((await films.master(two)).text, faults)
    assert (["a0.m3u8"], 2) == ([variant.uri for variant in master.variants], len(master.tracks))
    assert [] == faults


async def test_a_video_without_audio_has_no_audio_group(films: FilmLibrary, film_renditions: Renditions) -> None:
    file_id = await films.show(StoredFilm({"v90": film_renditions["v90"]}))
    faults: list[str] = []
    [variant] = read_master((await films.master(file_id)).text, faults).variants
    assert "AUDIO" not in variant.attributes
    assert [] == faults


async def test_a_video_cannot_be_played_before_its_first_video_segment(
    films: FilmLibrary, film_renditions: Renditions
) -> None:
    """Audio segments alone are not enough."""
    file_id = await films.show(StoredFilm(film_renditions, made={"v180": 0, "v90": 0}))
    with pytest.raises(Problem) as refused:
        await films.master(file_id)
    assert 404 == refused.value.status
    with pytest.raises(Problem) as refused:
        await films.media(file_id, "v180")
    assert 404 == refused.value.status


@pytest.mark.parametrize(
    "change",
    [{"damage": "bytes are missing"}, {"trashed_at": utc_now()}, {"playable_at": None}],
    ids=["damaged", "trashed", "not playable"],
)
async def test_damaged_trashed_and_unplayable_files_are_not_streamed(
    films: FilmLibrary, film_renditions: Renditions, change: dict[str, object]
) -> None:
    """Existing tokens stop working at once, on every path."""
    file_id = await films.show(StoredFilm(film_renditions, sprite=True))
    subtitles = await store_file(films.database, films.store, films.owner, "film.srt", SRT, "text/plain")
    token = films.token(file_id)
    await _assert_all_streamed(films, token, subtitles)
    await films.change(file_id, **change)
    await _assert_none_streamed(films, token, subtitles)


async def test_a_purged_file_is_not_streamed(films: FilmLibrary, film_renditions: Renditions) -> None:
    """Even if its renditions have not been deleted yet."""
    file_id = await films.show(StoredFilm(film_renditions, sprite=True))
    async with films.database.transaction() as tx:
        await tx.session.delete(await tx.session.get_one(Node, file_id))
    await _assert_none_streamed(films, films.token(file_id), new_id())


async def test_the_token_of_a_share_link_is_checked_on_every_request(
    films: FilmLibrary, film_renditions: Renditions
) -> None:
    """It grants what the link grants at that moment, on the film and on its subtitles, and nothing without a grant."""
    file_id, link_id = await films.show(StoredFilm(film_renditions, sprite=True)), new_id()
    subtitles = await store_file(films.database, films.store, films.owner, "film.srt", SRT, "text/plain")
    token = films.token(file_id, link_id)
    await _assert_none_streamed(films, token, subtitles)
    shared = [await films.grant(node_id, link_id) for node_id in (file_id, subtitles)]
    await _assert_all_streamed(films, token, subtitles)
    await _assert_none_streamed(films, films.token(file_id, new_id()), subtitles)
    async with films.database.transaction() as tx:
        for grant_id in shared:
            await grants.revoke(tx, grant_id, utc_now())
    await _assert_none_streamed(films, token, subtitles)


async def test_a_share_link_streams_a_film_only_in_the_version_that_its_token_names(
    films: FilmLibrary, film_renditions: Renditions
) -> None:
    file_id, link_id = await films.show(StoredFilm(film_renditions, sprite=True)), new_id()
    grant_id = await films.grant(file_id, link_id)
    async with films.database.transaction() as tx:
        await grants.change(tx, grant_id, rights=Right.VIEW.value, version=1, expires_at=None)

    await _assert_none_streamed(films, films.token(file_id, link_id), new_id())


async def test_a_link_to_a_film_alone_does_not_show_the_subtitles_beside_it(
    films: FilmLibrary, film_renditions: Renditions
) -> None:
    """They are files of their own, which the link does not reach."""
    file_id, link_id = await films.show(StoredFilm(film_renditions)), new_id()
    subtitles = await store_file(films.database, films.store, films.owner, "film.srt", SRT, "text/plain")
    await films.grant(file_id, link_id)

    async with films.database.reading() as tx:
        playable = await films.streaming.find_master(tx, films.token(file_id, link_id))
        with pytest.raises(Problem) as refused:
            await films.streaming.find_subtitles(tx, films.token(file_id, link_id), subtitles)

    assert [] == playable.subtitles
    assert 404 == refused.value.status


async def test_playlists_for_visitors_refer_to_segments_below_the_token(
    films: FilmLibrary, film_renditions: Renditions
) -> None:
    """And may not be cached, so that a stream ends with its link."""
    file_id, link_id = await films.show(StoredFilm(film_renditions, sprite=True)), new_id()
    await films.grant(file_id, link_id)
    token = films.token(file_id, link_id)

    async with films.database.reading() as tx:
        written = await films.streaming.media(await films.streaming.find_media(tx, token, "v180"))
        master = films.streaming.master(await films.streaming.find_master(tx, token))
        found = await films.streaming.find_segment(tx, token, "v180", "0.m4s")

    uris = [line for line in written.text.splitlines() if not line.startswith("#")]
    assert [f"v180/{number}.m4s" for number in range(len(film_renditions["v180"].segments))] == uris
    assert 'URI="v180/init.mp4"' in written.text
    assert (0, 0) == (written.max_age, master.max_age)
    assert "video/mp4" == found[1]
    assert film_renditions["v180"].segments[0] == b"".join([chunk async for chunk in films.store.read(found[0])])


@pytest.mark.parametrize("segment", ["x.m4s", "-1.m4s", "1", "٣.m4s", "9999999.m4s", "..", "init.m4s"])
async def test_what_is_no_segment_is_not_found(films: FilmLibrary, film_renditions: Renditions, segment: str) -> None:
    file_id, link_id = await films.show(StoredFilm(film_renditions)), new_id()
    await films.grant(file_id, link_id)

    async with films.database.reading() as tx:
        with pytest.raises(Problem) as refused:
            await films.streaming.find_segment(tx, films.token(file_id, link_id), "v180", segment)

    assert 404 == refused.value.status


async def test_an_owners_token_leads_to_no_segment_by_redirect(films: FilmLibrary, film_renditions: Renditions) -> None:
    """Owners' playlists refer to presigned URLs."""
    file_id = await films.show(StoredFilm(film_renditions, sprite=True))

    async with films.database.reading() as tx:
        for request in (
            films.streaming.find_segment(tx, films.token(file_id), "v180", "0.m4s"),
            films.streaming.find_sprite_image(tx, films.token(file_id)),
        ):
            with pytest.raises(Problem) as refused:
                await request
            assert 404 == refused.value.status


async def test_only_the_owner_finds_the_stream_of_a_file(films: FilmLibrary, film_renditions: Renditions) -> None:
    """For others it does not exist."""
    file_id = await films.show(StoredFilm(film_renditions))
    stranger = await add_user(films.database)
    async with films.database.reading() as tx:
        await films.streaming.find_stream(tx, await authorize_file(tx, signed_in(films.owner), file_id, Right.VIEW))
        with pytest.raises(Problem) as refused:
            await authorize_file(tx, signed_in(stranger), file_id, Right.VIEW)
    assert 404 == refused.value.status


SRT = b"1\n00:00:01,000 --> 00:00:02,000\nHello\n"


async def _assert_all_streamed(films: FilmLibrary, token: str, subtitles: str) -> None:
    async with films.database.reading() as tx:
        await films.streaming.find_master(tx, token)
        await films.streaming.find_media(tx, token, "v180")
        await films.streaming.find_sprite(tx, token)
        await films.streaming.find_subtitles(tx, token, subtitles)


async def _assert_none_streamed(films: FilmLibrary, token: str, subtitles: str) -> None:
    async with films.database.reading() as tx:
        for request in (
            films.streaming.find_master(tx, token),
            films.streaming.find_media(tx, token, "v180"),
            films.streaming.find_sprite(tx, token),
            films.streaming.find_subtitles(tx, token, subtitles),
        ):
            with pytest.raises(Problem) as refused:
                await request
            assert 404 == refused.value.status
