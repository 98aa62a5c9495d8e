"""The rendition ladder: which renditions a source gets."""

import pytest

from metastore.features.media.renditions.ladder import ladder
from metastore.ports.media_tools import AudioTrack, ProbeResult
from metastore.ports.transcoder import AudioRendition


def video(width: int, height: int, *, copyable: bool = False, tracks: int = 0) -> ProbeResult:
    audio = (AudioTrack("aac"),) * tracks
    return ProbeResult("mp4", width, height, video_codec="h264", video_copyable=copyable, audio_tracks=audio)


@pytest.mark.parametrize(
    ("width", "height", "sizes"),
    [
        (3840, 2160, ["v1080 1920x1080", "v720 1280x720", "v480 852x480", "v360 640x360"]),
        (1920, 1080, ["v1080 1920x1080", "v720 1280x720", "v480 852x480", "v360 640x360"]),
        (1080, 1920, ["v1080 1080x1920", "v720 720x1280", "v480 480x852", "v360 360x640"]),
        (1920, 1088, ["v1080 1904x1080", "v720 1270x720", "v480 846x480", "v360 634x360"]),
        (1280, 720, ["v720 1280x720", "v480 852x480", "v360 640x360"]),
        (1279, 719, ["v719 1278x718", "v480 852x480", "v360 640x360"]),
        (720, 576, ["v576 720x576", "v480 600x480", "v360 450x360"]),
        (640, 480, ["v480 640x480", "v360 480x360"]),
        (640, 360, ["v360 640x360"]),
        (660, 370, ["v370 660x370"]),
        (320, 240, ["v240 320x240"]),
        (1, 1, ["v1 2x2"]),
        (10_000, 100, ["v100 4096x40"]),
        (2592, 1080, ["v1080 2592x1080", "v720 1728x720", "v480 1152x480", "v360 864x360"]),
    ],
)
def test_an_encoded_rung_is_never_larger_than_the_source(width: int, height: int, sizes: list[str]) -> None:
    made = ladder(video(width, height))
    assert sizes == [f"{rung.name} {rung.width}x{rung.height}" for rung in made.rungs]
    assert made.copied is None


@pytest.mark.parametrize(
    ("width", "height", "copied", "rungs"),
    [
        (3840, 2160, "v2160", ["v1080", "v720", "v480", "v360"]),
        (1920, 1080, "v1080", ["v720", "v480", "v360"]),
        (1920, 1088, "v1088", ["v720", "v480", "v360"]),
        (1080, 1920, "v1080", ["v720", "v480", "v360"]),
        (1280, 720, "v720", ["v480", "v360"]),
        (640, 400, "v400", ["v360"]),
        (640, 360, "v360", []),
        (320, 180, "v180", []),
    ],
)
def test_a_copied_video_is_the_top_rung(width: int, height: int, copied: str, rungs: list[str]) -> None:
    made = ladder(video(width, height, copyable=True))
    assert (copied, rungs) == (made.copied, [rung.name for rung in made.rungs])


def test_sizes_are_even_and_bit_rates_decrease_with_them() -> None:
    for width in range(2, 2000, 37):
        rungs = ladder(video(width, width * 3 // 5 + 1)).rungs
        assert not [rung for rung in rungs if rung.width % 2 or rung.height % 2]
        rates = [rung.bitrate for rung in rungs]
        assert sorted(rates, reverse=True) == rates
        assert 100_000 <= rates[-1] <= rates[0] <= 5_000_000


def test_common_sizes_have_the_configured_bit_rates() -> None:
    rates = [rung.bitrate for rung in ladder(video(1920, 1080)).rungs]
    assert [5_000_000, 2_800_000] == rates[:2]
    assert [1_400_000, 800_000] == [round(rate, -4) for rate in rates[2:]]


def test_each_audio_track_is_a_rendition_and_copied_if_possible() -> None:
    tracks = (AudioTrack("aac", copyable=True), AudioTrack("flac"))
    made = ladder(ProbeResult("mkv", audio_codec="aac", audio_tracks=tracks))
    assert [AudioRendition("a0", 0, copy=True), AudioRendition("a1", 1, copy=False)] == list(made.audio)
    assert not made.has_video
    assert not made.is_empty


def test_the_default_track_is_included_if_there_are_too_many() -> None:
    tracks = [AudioTrack("aac", default=number == 30) for number in range(32)]
    names = [track.name for track in ladder(ProbeResult("mkv", audio_tracks=tuple(tracks))).audio]
    assert (16, "a30") == (len(names), names[-1])


@pytest.mark.parametrize(
    "probed",
    [ProbeResult("jpeg", 4000, 3000), ProbeResult("pdf", 600, 800, pages=3), ProbeResult("mkv", video_codec="av1")],
)
def test_the_ladder_is_empty_for_images_documents_and_unknown_codecs(probed: ProbeResult) -> None:
    assert ladder(probed).is_empty
