"""The HLS validator of the tests, on valid streams and on streams with one fault each."""

import re
from collections.abc import Mapping

import httpx
import pytest

from metastore.features.media.playback import playlists
from metastore.features.media.playback.playlists import AudioTrack, Track, Variant
from metastore.features.media.renditions import bandwidth
from tests.fixtures.hls_validator import check_growth, read_master, read_media, validate
from tests.fixtures.stored_films import Renditions, SampleRendition, film_renditions

__all__ = ["film_renditions"]

MASTER = playlists.master(
    [
        Variant("v2.m3u8", 200_000, 150_000, "avc1.64000d", 640, 360, 25),
        Variant("v1.m3u8", 90, 80, "avc1.x", 320, 180, 25),
    ],
    [
        AudioTrack("a0.m3u8", "One", "en", True, 1000, 900, "mp4a.40.2"),
        AudioTrack("a1.m3u8", "Two", None, False, 1, 1, "mp4a.40.2"),
    ],
    [Track("s.m3u8", "Text", "vi")],
)
MEDIA = playlists.media(4, "init.mp4", [4_000_000, 4_400_000, 1_000_000], ["0.m4s", "1.m4s?e=1", "2.m4s"], done=True)


def faults_of(text: str) -> list[str]:
    """Return the faults that the validator finds in a playlist."""
    faults: list[str] = []
    (read_master if "STREAM-INF" in text or "EXT-X-MEDIA:" in text else read_media)(text, faults)
    return faults


def test_valid_playlists_have_no_faults() -> None:
    """The product's own, also with comments, empty lines and other line endings."""
    assert [] == faults_of(MASTER)
    assert [] == faults_of(MEDIA)
    assert [] == faults_of(MEDIA.replace("\n", "\r\n"))
    assert [] == faults_of(MEDIA.replace("#EXTINF", "# a remark\n\n#EXTINF", 1))
    growing = playlists.media(4, "init.mp4", [4_000_000], ["0.m4s"], done=False)
    assert [] == faults_of(growing)


@pytest.mark.parametrize(
    ("old", "new", "section"),
    [
        ("#EXTM3U\n", "", "4.3.1.1"),
        ("#EXTM3U", "\ufeff#EXTM3U", "4.1"),
        ("BANDWIDTH=201000", "BANDWIDTH=fast", "4.3.4.2"),
        ("BANDWIDTH=201000", 'BANDWIDTH="201000"', "4.2"),
        ("BANDWIDTH=201000,", "", "4.3.4.2"),
        ("AVERAGE-BANDWIDTH=150900", "AVERAGE-BANDWIDTH=999999", "4.3.4.2"),
        ('CODECS="avc1.64000d,mp4a.40.2",', "", "4.3.4.2"),
        ('CODECS="avc1.64000d,mp4a.40.2"', "CODECS=avc1.64000d", "4.2"),
        ("RESOLUTION=640x360,", "", "4.3.4.2"),
        ("RESOLUTION=640x360", "RESOLUTION=640", "4.3.4.2"),
        ("FRAME-RATE=25.000", "FRAME-RATE=fast", "4.3.4.2"),
        ("v2.m3u8\n", "", "4.3.4.2"),
        ("v2.m3u8\n", "v2.m3u8\nv3.m3u8\n", "4.3.4.2"),
        ('AUDIO="audio"', 'AUDIO="other"', "4.3.4.2"),
        ('SUBTITLES="subtitles"', 'SUBTITLES="other"', "4.3.4.2"),
        ('NAME="Two"', 'NAME="One"', "4.3.4.1.1"),
        ("DEFAULT=NO", "DEFAULT=YES", "4.3.4.1.1"),
        ("DEFAULT=NO", "DEFAULT=MAYBE", "4.3.4.1"),
        ("DEFAULT=YES,AUTOSELECT=YES", "DEFAULT=YES,AUTOSELECT=NO", "4.3.4.1"),
        (',NAME="Text"', "", "4.3.4.1"),
        (',URI="s.m3u8"', "", "4.3.4.1"),
        ("TYPE=SUBTITLES", "TYPE=WORDS", "4.3.4.1"),
        (",CLOSED-CAPTIONS=NONE\nv2", "\nv2", "4.3.4.2"),
        ("#EXT-X-VERSION:7", "#EXT-X-VERSION:7\n#EXT-X-VERSION:7", "4.3"),
        ("#EXT-X-VERSION:7", "#EXT-X-VERSION:7\n#EXT-X-ENDLIST", "4.3"),
        (",DEFAULT", ", DEFAULT", "4.2"),
        (",DEFAULT=YES", ",DEFAULT=YES,DEFAULT=YES", "4.2"),
    ],
)
def test_an_invalid_master_playlist_is_detected(old: str, new: str, section: str) -> None:
    """Each change violates a rule of that section of RFC 8216."""
    bad = MASTER.replace(old, new, 1)
    assert bad != MASTER, MASTER
    assert any(fault.startswith(f"{section}:") for fault in faults_of(bad)), faults_of(bad)


@pytest.mark.parametrize(
    ("old", "new", "section"),
    [
        ("#EXT-X-TARGETDURATION:4\n", "", "4.3.3.1"),
        ("TARGETDURATION:4", "TARGETDURATION:4.5", "4.2"),
        ("TARGETDURATION:4", "TARGETDURATION:3", "4.3.3.1"),
        ("EXTINF:4.400000", "EXTINF:4.500000", "4.3.3.1"),
        ("EXTINF:4.400000,", "EXTINF:4.400000", "4.3.2.1"),
        ("EXTINF:4.400000,", "EXTINF:-1,", "4.3.2.1"),
        ("#EXTINF:4.400000,\n", "", "4.3.2.1"),
        ("0.m4s\n", "", "4.3.2.1"),
        ("#EXT-X-VERSION:7", "#EXT-X-VERSION:2", "7"),
        ("#EXT-X-VERSION:7", "#EXT-X-VERSION:5", "7"),
        ('#EXT-X-MAP:URI="init.mp4"\n', "", "3.3"),
        ('URI="init.mp4"', 'BYTERANGE="1@0"', "4.3.2.5"),
        ("PLAYLIST-TYPE:VOD", "PLAYLIST-TYPE:LIVE", "4.3.3.5"),
        ("#EXT-X-ENDLIST\n", "", "4.3.3.5"),
        ("#EXT-X-ENDLIST\n", "#EXT-X-MEDIA-SEQUENCE:0\n", "4.3.3"),
        ("#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-START:PRECISE=YES", "4.3.5.2"),
        ("#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-INDEPENDENCE", "4.3"),
        ("0.m4s", "0.m4s ", "4.1"),
        ("0.m4s", "0\t.m4s", "4.1"),
    ],
)
def test_an_invalid_media_playlist_is_detected(old: str, new: str, section: str) -> None:
    """Each change violates a rule of that section of RFC 8216."""
    bad = MEDIA.replace(old, new, 1)
    assert bad != MEDIA
    assert any(fault.startswith(f"{section}:") for fault in faults_of(bad)), faults_of(bad)


@pytest.mark.parametrize(
    ("old", "new"),
    [("4.000000", "3.900000"), ("0.m4s", "9.m4s"), ("TARGETDURATION:4", "TARGETDURATION:5"), ("init.mp4", "other.mp4")],
)
def test_changes_to_a_growing_playlist_are_detected(old: str, new: str) -> None:
    """Segments may be appended; nothing else may change."""
    before = playlists.media(4, "init.mp4", [4_000_000], ["0.m4s"], done=False)
    after = playlists.media(4, "init.mp4", [4_000_000, 4_000_000], ["0.m4s", "1.m4s"], done=False)
    faults: list[str] = []
    check_growth(read_media(before, faults), read_media(after, faults), faults)
    assert [] == faults
    check_growth(read_media(before, faults), read_media(after.replace(old, new, 1), faults), faults)
    assert faults
    ended: list[str] = []
    check_growth(read_media(MEDIA, ended), read_media(MEDIA.replace("#EXT-X-ENDLIST\n", ""), []), ended)
    assert ended


async def _faults_of_stream(
    film_renditions: Renditions, changes: Mapping[str, bytes | None], master: str = ""
) -> list[str]:
    """Return the faults of a stream in which some files were replaced or removed (``None``)."""
    files: dict[str, bytes] = {"/master.m3u8": (master or _master_of(film_renditions)).encode()}
    for rendition in film_renditions.values():
        names = [f"{rendition.name}/{number}.m4s" for number in range(len(rendition.segments))]
        text = playlists.media(rendition.target, f"{rendition.name}/init.mp4", rendition.durations, names, done=True)
        files[f"/{rendition.name}.m3u8"] = text.encode()
        files[f"/{rendition.name}/init.mp4"] = rendition.init
        files |= {f"/{name}": data for name, data in zip(names, rendition.segments, strict=True)}
    for name, content in changes.items():
        assert files.get(name) != content
        if content is None:
            del files[name]
        else:
            files[name] = content

    def respond(request: httpx.Request) -> httpx.Response:
        body = files.get(request.url.path)
        if body is None:
            return httpx.Response(404)
        kind = "application/vnd.apple.mpegurl" if request.url.path.endswith("m3u8") else "video/mp4"
        return httpx.Response(200, content=body, headers={"Content-Type": kind})

    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as client:
        return (await validate(client, "http://stream.test/master.m3u8")).faults


def _master_of(film_renditions: Renditions) -> str:
    def rates(rendition: SampleRendition) -> tuple[int, int]:
        return bandwidth.peak(rendition.weights, rendition.target), bandwidth.average(rendition.weights)

    return playlists.master(
        [
            Variant(
                f"{rendition.name}.m3u8", *rates(rendition), rendition.codecs, rendition.width, rendition.height, 25
            )
            for rendition in film_renditions.values()
            if rendition.width
        ],
        [
            AudioTrack(f"{audio.name}.m3u8", audio.name, None, False, *rates(audio), audio.codecs)
            for audio in film_renditions.values()
            if not audio.width
        ],
        [],
    )


async def test_a_valid_stream_has_no_faults(film_renditions: Renditions) -> None:
    assert [] == await _faults_of_stream(film_renditions, {})


async def test_faults_within_segments_are_detected(film_renditions: Renditions) -> None:
    """Each is reported with a message of its own."""
    v180, v90 = film_renditions["v180"], film_renditions["v90"]
    second = v180.segments[1]
    tfdt = second.index(b"tfdt")
    later = second[: tfdt + 15] + bytes([second[tfdt + 15] ^ 1]) + second[tfdt + 16 :]
    mdat = second.index(b"mdat")
    bad_frame = second[: mdat + 4] + bytes(len(second) - mdat - 4)
    for name, content, message in (
        ("/v180/1.m4s", None, "404"),
        ("/v180/1.m4s", b"", "is not moof and mdat"),
        ("/v180/1.m4s", second[:-1], "cannot be read"),
        ("/v180/1.m4s", second + b"\0\0\0\0", "cannot be read"),
        ("/v180/1.m4s", later, "does not begin where the one before it ends"),
        ("/v180/1.m4s", v180.segments[2], "does not begin where the one before it ends"),
        ("/v180/1.m4s", bad_frame, "does not begin with a keyframe"),
        ("/v180/1.m4s", second[second.index(b"moof") - 4 :], "does not begin with styp"),
        ("/v180/1.m4s", v180.init + second, "has a moov"),
        ("/v180/3.m4s", v180.segments[2], "lasts"),
        ("/v180/init.mp4", v180.init[:-10], "cannot be read"),
        ("/v180/init.mp4", second, "is not ftyp and moov"),
        ("/v180/init.mp4", film_renditions["a0"].init, "does not hold avc1."),
        ("/v180/init.mp4", v90.init, "holds avc1."),
    ):
        found = await _faults_of_stream(film_renditions, {name: content})
        assert any(message in fault for fault in found), f"{message!r} is not reported for {name}: {found}"


async def test_playlists_that_contradict_their_segments_are_detected(film_renditions: Renditions) -> None:
    """A bandwidth that is too low, wrong codecs, renditions with different segment boundaries."""
    master = _master_of(film_renditions)
    low = re.sub(r"INF:BANDWIDTH=\d+,AVERAGE-BANDWIDTH=\d+", "INF:BANDWIDTH=1000,AVERAGE-BANDWIDTH=900", master)
    assert any("needs" in fault for fault in await _faults_of_stream(film_renditions, {}, low))
    wrong = master.replace("mp4a.40.2", "ac-3")
    assert any("does not hold ac-3" in fault for fault in await _faults_of_stream(film_renditions, {}, wrong))
    rendition = film_renditions["v90"]
    names = [f"v90/{number}.m4s" for number in range(1, 4)]
    shifted = playlists.media(rendition.target, "v90/init.mp4", rendition.durations[1:], names, done=True)
    found = await _faults_of_stream(film_renditions, {"/v90.m3u8": shifted.encode()})
    assert any("is cut otherwise" in fault for fault in found)
