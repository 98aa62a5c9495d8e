"""Sidecar subtitles: their names, and their conversion to WebVTT."""

import pysubs2
import pytest

from metastore.features.media.playback.subtitles import NotSubtitlesError, parse_sidecar_name, to_webvtt

HEADER = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n"
SRT = """1
00:00:01,000 --> 00:00:02,500
Xin chào
<i>thế giới</i>

2
01:02:03,456 --> 01:02:04,000
Số 2: 100 < 200 & so on

"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("film.srt", (True, None)),
        ("film.VTT", (True, None)),
        ("film.vi.srt", (True, "vi")),
        ("film.pt-BR.vtt", (True, "pt-BR")),
        ("film.zh_Hant.srt", (True, "zh-Hant")),
        ("film.mp4", (False, None)),
        ("film.vi.txt", (False, None)),
        ("films.srt", (False, None)),
        ("film.notes.srt", (False, None)),
        ("film..srt", (False, None)),
        ("Film.srt", (False, None)),
        ("srt", (False, None)),
    ],
)
def test_sidecars_are_recognised_by_their_names(name: str, expected: tuple[bool, str | None]) -> None:
    """They have the name of the video, with or without a language."""
    assert expected == parse_sidecar_name("film", name)


def test_subrip_is_converted_to_webvtt() -> None:
    """Times, lines and shared tags are kept; everything else is escaped."""
    assert to_webvtt(SRT.encode()) == (
        f"{HEADER}\n00:00:01.000 --> 00:00:02.500\nXin chào\n<i>thế giới</i>\n"
        "\n01:02:03.456 --> 01:02:04.000\nSố 2: 100 &lt; 200 &amp; so on\n"
    )


def test_another_library_finds_the_same_cues() -> None:
    """``pysubs2`` reads the same times from the original and from the converted file."""
    ours, theirs = pysubs2.SSAFile.from_string(to_webvtt(SRT.encode())), pysubs2.SSAFile.from_string(SRT)
    assert [(cue.start, cue.end) for cue in theirs] == [(cue.start, cue.end) for cue in ours]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8-sig", "Tiếng Việt"),
        ("utf-16", "Tiếng Việt"),
        ("utf-16-le", "Tieng Viet khong dau, va mot it chu nua"),
        (
            "cp1252",
            "Où est le café? Là-bas, près de la forêt où il a plu l'été dernier; ça va être génial, même après.",
        ),
        ("shift_jis", "これは日本語の字幕です。映画をお楽しみください。ありがとうございました。"),
        ("gb18030", "这是中文字幕。请欣赏这部电影。谢谢大家的观看，我们下次再见。"),
        ("koi8_r", "Это русские субтитры к фильму, который вы сейчас смотрите. Приятного просмотра!"),
    ],
)
def test_old_encodings_are_read(encoding: str, text: str) -> None:
    """Many subtitle files in circulation predate UTF-8."""
    lines = "".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{text}\n\n" for n in range(1, 9))
    assert f"\n{text}\n" in to_webvtt(lines.encode(encoding))


def test_unusual_subrip_is_converted() -> None:
    """CRLF, missing numbers, points instead of commas, positions, fonts, entities, unsorted cues, empty lines."""
    odd = (
        "\n00:00:05.5 --> 00:00:06.000  X1:100 X2:200\n"
        '{\\an8}<font color="red">Later</font> &amp; <B>more</B>\n\n'
        "7\n0:00:01,0 --> 0:00:02,25\nFirst\n\nstill first\n\n"
        "8\n00:00:03,000 --> 00:00:03,000\nnever\n"
    )
    assert to_webvtt(odd.replace("\n", "\r\n").encode()) == (
        f"{HEADER}\n00:00:01.000 --> 00:00:02.250\nFirst\nstill first\n"
        "\n00:00:05.500 --> 00:00:06.000\nLater &amp; <b>more</b>\n"
    )


def test_subrip_cannot_inject_webvtt() -> None:
    """Neither tags, nor cues, nor headers."""
    bad = "1\n00:00:01,000 --> 00:00:02,000\n<script>alert(1)</script><c.x>y</c> --> \nSTYLE\n<i onclick=x>z</i>\n"
    text = to_webvtt(bad.encode())
    assert "&lt;script&gt;" in text
    assert "<i>z</i>" in text
    assert 1 == text.count("-->")


def test_webvtt_is_kept_except_for_its_timestamp_map() -> None:
    """Positions, styles and notes are kept."""
    body = "STYLE\n::cue { color: red }\n\nNOTE hi\n\nid\n00:01.000 --> 00:02.000 align:left\n<v Ann>Hello\n"
    assert f"{HEADER}\n{body}" == to_webvtt(f"WEBVTT - title\n\n{body}".encode())
    theirs = "WEBVTT\r\nX-TIMESTAMP-MAP=MPEGTS:1,LOCAL:00:00:00.000\r\nKind: captions\r\n\r\n" + body
    assert f"{HEADER}Kind: captions\n\n{body}" == to_webvtt(theirs.encode())


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\x00\x01\x02", bytes(range(256)) * 100, b"1\n00:00 --> \n", b"\xff\xfe"]
)
def test_files_without_cues_are_refused(data: bytes) -> None:
    with pytest.raises(NotSubtitlesError):
        to_webvtt(data)


def test_hostile_subtitles_are_converted_quickly() -> None:
    """Two mebibytes designed to make the regular expressions backtrack."""
    for data in (
        b"00:00:01,000 --> 00:00:02,000\n" + b"\n1 " * 600_000 + b"\n00:00:01,000 --> 00:00:02,000\nx",
        b"00:00:01,000 --> 00:00:02,000\n" + b"<" * 1_000_000 + b"<i " * 300_000,
        b"00:00:01,000 --> 00:00:02,000\n" + b"{\\" * 1_000_000,
        b"0" * 2_000_000,
        b" " * 2_000_000 + b"-->",
    ):
        try:
            to_webvtt(data)
        except NotSubtitlesError:
            continue
