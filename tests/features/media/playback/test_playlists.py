"""HLS playlists, and the WebVTT of sprites."""

from metastore.features.media.playback import playlists
from metastore.features.media.playback.playlists import AudioTrack, Track, Variant
from metastore.features.media.playback.sprites import sprite_cues
from tests.fixtures.hls_validator import read_master, read_media

HIGH = Variant("v1080.m3u8", 8_000_000, 6_000_000, "avc1.640028", 1920, 1080, 29.97)
MIDDLE = Variant("v720.m3u8", 2_800_000, 2_000_000, "avc1.64001f", 1280, 720, 29.97)
LOW = Variant("v360.m3u8", 800_000, 500_000, "avc1.64001e", 640, 360, 29.97)
STEREO = AudioTrack("a0.m3u8", "Track 0", None, True, 130_000, 128_000, "mp4a.40.2")
SURROUND = AudioTrack("a1.m3u8", "Track 1", "en", False, 400_000, 384_000, "mp4a.40.5")


def test_a_media_playlist_word_for_word() -> None:
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


def test_the_bandwidth_of_a_variant_includes_its_most_demanding_audio_track() -> None:
    """``CODECS`` lists the video codec and those of all audio tracks."""
    [variant] = read_master(playlists.master([LOW], [STEREO, SURROUND], []), []).variants
    assert 1_200_000 == variant.bandwidth
    assert "884000" == variant.attributes["AVERAGE-BANDWIDTH"]
    assert ["avc1.64001e", "mp4a.40.2", "mp4a.40.5"] == variant.codecs


def test_the_first_variant_is_the_best_that_most_connections_can_carry() -> None:
    listed = read_master(playlists.master([HIGH, LOW, MIDDLE], [], []), []).variants
    assert ["v720.m3u8", "v360.m3u8", "v1080.m3u8"] == [variant.uri for variant in listed]
    assert "v1080.m3u8" == read_master(playlists.master([HIGH], [], []), []).variants[0].uri


def test_one_track_is_the_default() -> None:
    """The one marked in the source, else the first."""
    plain = [AudioTrack(f"a{n}.m3u8", f"Track {n}", codecs="mp4a.40.2") for n in range(3)]
    tracks = read_master(playlists.master([LOW], plain, []), []).tracks
    assert ["YES", "NO", "NO"] == [track["DEFAULT"] for track in tracks]
    tracks = read_master(playlists.master([LOW], [plain[0], STEREO], []), []).tracks
    assert ["NO", "YES"] == [track["DEFAULT"] for track in tracks]


def test_names_cannot_break_a_playlist() -> None:
    """Quotes and line breaks are removed, and no two tracks have the same name."""
    nasty = 'a"b\r\n#EXT-X-ENDLIST\u2028"'
    faults: list[str] = []
    tracks = [AudioTrack(f"a{n}.m3u8", nasty, codecs="mp4a.40.2") for n in range(3)]
    found = read_master(playlists.master([LOW], tracks, [Track("s.m3u8", nasty, 'e"n')]), faults)
    assert [] == faults
    named = [track["NAME"] for track in found.tracks]
    assert ["a'b#EXT-X-ENDLIST'", "a'b#EXT-X-ENDLIST' (2)", "a'b#EXT-X-ENDLIST' (3)", "a'b#EXT-X-ENDLIST'"] == named


def test_a_subtitle_track_is_one_segment_as_long_as_the_video() -> None:
    faults: list[str] = []
    playlist = read_media(playlists.subtitles(3_723_400_000, "x.vtt"), faults)
    assert [] == faults
    assert [(3723.4, "x.vtt")] == [(segment.seconds, segment.uri) for segment in playlist.segments]


def test_the_tiles_of_a_sprite_are_mapped_to_times() -> None:
    """Row by row, each tile until the next; the last until the video ends."""
    layout = {"columns": 2, "count": 3, "tileWidth": 160, "tileHeight": 90, "intervalMs": 1_800_000}
    assert (
        "WEBVTT\n"
        "\n00:00:00.000 --> 00:30:00.000\nhttps://s/p.webp#xywh=0,0,160,90\n"
        "\n00:30:00.000 --> 01:00:00.000\nhttps://s/p.webp#xywh=160,0,160,90\n"
        "\n01:00:00.000 --> 01:10:00.500\nhttps://s/p.webp#xywh=0,90,160,90\n"
    ) == sprite_cues(layout, 4_200_500, "https://s/p.webp")
