"""Playlists as text."""

from metastore.features.media import playlists
from metastore.features.media.hovering import hover_cues
from metastore.features.media.playlists import Sound, Track, Variant
from tests.fixtures.hls_validator import read_master, read_media

HIGH = Variant("v1080.m3u8", 8_000_000, 6_000_000, "avc1.640028", 1920, 1080, 29.97)
MIDDLE = Variant("v720.m3u8", 2_800_000, 2_000_000, "avc1.64001f", 1280, 720, 29.97)
LOW = Variant("v360.m3u8", 800_000, 500_000, "avc1.64001e", 640, 360, 29.97)
SOUND = Sound("a0.m3u8", "Track 0", None, True, 130_000, 128_000, "mp4a.40.2")
SURROUND = Sound("a1.m3u8", "Track 1", "en", False, 400_000, 384_000, "mp4a.40.5")


def test_a_media_playlist_word_by_word() -> None:
    """What every player gets."""
    assert (
        "#EXTM3U\n"
        "#EXT-X-VERSION:7\n"
        "#EXT-X-TARGETDURATION:4\n"
        "#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-MAP:URI="https://store/init.mp4?s=1"\n'
        "#EXTINF:4.000000,\n"
        "https://store/000000.m4s?s=2\n"
        "#EXTINF:0.040001,\n"
        "https://store/000001.m4s?s=3\n"
        "#EXT-X-ENDLIST\n"
    ) == playlists.media(
        4,
        "https://store/init.mp4?s=1",
        [4_000_000, 40_001],
        ["https://store/000000.m4s?s=2", "https://store/000001.m4s?s=3"],
        done=True,
    )


def test_a_variant_needs_what_its_fullest_sound_needs() -> None:
    """Rates are added up, and codecs are those of the picture and of all sounds."""
    [variant] = read_master(playlists.master([LOW], [SOUND, SURROUND], []), []).variants
    assert 1_200_000 == variant.bandwidth
    assert "884000" == variant.attributes["AVERAGE-BANDWIDTH"]
    assert ["avc1.64001e", "mp4a.40.2", "mp4a.40.5"] == variant.codecs


def test_the_first_variant_comes_easily() -> None:
    """Players without an opinion begin with the first: the best of what most connections carry."""
    named = read_master(playlists.master([HIGH, LOW, MIDDLE], [], []), []).variants
    assert ["v720.m3u8", "v360.m3u8", "v1080.m3u8"] == [variant.uri for variant in named]
    assert "v1080.m3u8" == read_master(playlists.master([HIGH], [], []), []).variants[0].uri


def test_one_track_is_the_default() -> None:
    """The one that the film says, else the first."""
    plain = [Sound(f"a{n}.m3u8", f"Track {n}", codecs="mp4a.40.2") for n in range(3)]
    tracks = read_master(playlists.master([LOW], plain, []), []).tracks
    assert ["YES", "NO", "NO"] == [track["DEFAULT"] for track in tracks]
    tracks = read_master(playlists.master([LOW], [plain[0], SOUND], []), []).tracks
    assert ["NO", "YES"] == [track["DEFAULT"] for track in tracks]


def test_names_cannot_break_a_playlist() -> None:
    """Quotes and line ends are not let in, and no two tracks are called alike."""
    nasty = 'a"b\r\n#EXT-X-ENDLIST\u2028"'
    faults: list[str] = []
    tracks = [Sound(f"a{n}.m3u8", nasty, codecs="mp4a.40.2") for n in range(3)]
    found = read_master(playlists.master([LOW], tracks, [Track("s.m3u8", nasty, 'e"n')]), faults)
    assert [] == faults
    named = [track["NAME"] for track in found.tracks]
    assert ["a'b#EXT-X-ENDLIST'", "a'b#EXT-X-ENDLIST' (2)", "a'b#EXT-X-ENDLIST' (3)", "a'b#EXT-X-ENDLIST'"] == named


def test_subtitles_are_one_segment() -> None:
    """Of the length of the film."""
    faults: list[str] = []
    playlist = read_media(playlists.subtitles(3_723_400_000, "x.vtt"), faults)
    assert [] == faults
    assert [(3723.4, "x.vtt")] == [(piece.seconds, piece.uri) for piece in playlist.pieces]


def test_small_pictures_lie_along_the_time_line() -> None:
    """Row by row, each until the next; the last until the film ends."""
    layout = {"columns": 2, "count": 3, "tileWidth": 160, "tileHeight": 90, "intervalMs": 1_800_000}
    assert (
        "WEBVTT\n"
        "\n00:00:00.000 --> 00:30:00.000\nhttps://s/p.webp#xywh=0,0,160,90\n"
        "\n00:30:00.000 --> 01:00:00.000\nhttps://s/p.webp#xywh=160,0,160,90\n"
        "\n01:00:00.000 --> 01:10:00.500\nhttps://s/p.webp#xywh=0,90,160,90\n"
    ) == hover_cues(layout, 4_200_500, "https://s/p.webp")
