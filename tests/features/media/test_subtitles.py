"""Subtitles beside a film: which they are, and what becomes of them."""

import pysubs2
import pytest

from metastore.features.media.subtitles import NotSubtitlesError, language_beside, web_vtt

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
def test_subtitles_are_told_by_their_name(name: str, expected: tuple[bool, str | None]) -> None:
    """The film's own, with a language or without."""
    assert expected == language_beside("film", name)


def test_subrip_becomes_web_vtt() -> None:
    """Times, lines and the tags that both know; all else as it reads."""
    assert web_vtt(SRT.encode()) == (
        f"{HEADER}\n00:00:01.000 --> 00:00:02.500\nXin chào\n<i>thế giới</i>\n"
        "\n01:02:03.456 --> 01:02:04.000\nSố 2: 100 &lt; 200 &amp; so on\n"
    )


def test_another_reader_reads_the_same() -> None:
    """The library that others use finds our cues where it finds those of the original."""
    ours, theirs = pysubs2.SSAFile.from_string(web_vtt(SRT.encode())), pysubs2.SSAFile.from_string(SRT)
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
    """Most subtitles on people's disks are older than their habit of using UTF-8."""
    lines = "".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{text}\n\n" for n in range(1, 9))
    assert f"\n{text}\n" in web_vtt(lines.encode(encoding))


def test_odd_subrip_is_understood() -> None:
    """Old line ends, missing numbers, points for commas, positions, fonts, entities, cues in any order, empty lines."""
    odd = (
        "\n00:00:05.5 --> 00:00:06.000  X1:100 X2:200\n"
        '{\\an8}<font color="red">Later</font> &amp; <B>more</B>\n\n'
        "7\n0:00:01,0 --> 0:00:02,25\nFirst\n\nstill first\n\n"
        "8\n00:00:03,000 --> 00:00:03,000\nnever\n"
    )
    assert web_vtt(odd.replace("\n", "\r\n").encode()) == (
        f"{HEADER}\n00:00:01.000 --> 00:00:02.250\nFirst\nstill first\n"
        "\n00:00:05.500 --> 00:00:06.000\nLater &amp; <b>more</b>\n"
    )


def test_subrip_cannot_smuggle_anything_in() -> None:
    """No tag of its own, no cue, no header."""
    bad = "1\n00:00:01,000 --> 00:00:02,000\n<script>alert(1)</script><c.x>y</c> --> \nSTYLE\n<i onclick=x>z</i>\n"
    text = web_vtt(bad.encode())
    assert "&lt;script&gt;" in text
    assert "<i>z</i>" in text
    assert 1 == text.count("-->")


def test_web_vtt_stays_as_it_is() -> None:
    """Positions, styles and notes are kept; only the map is ours."""
    body = "STYLE\n::cue { color: red }\n\nNOTE hi\n\nid\n00:01.000 --> 00:02.000 align:left\n<v Ann>Hello\n"
    assert f"{HEADER}\n{body}" == web_vtt(f"WEBVTT - title\n\n{body}".encode())
    theirs = "WEBVTT\r\nX-TIMESTAMP-MAP=MPEGTS:1,LOCAL:00:00:00.000\r\nKind: captions\r\n\r\n" + body
    assert f"{HEADER}Kind: captions\n\n{body}" == web_vtt(theirs.encode())


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\x00\x01\x02", bytes(range(256)) * 100, b"1\n00:00 --> \n", b"\xff\xfe"]
)
def test_what_is_no_subtitles_is_refused(data: bytes) -> None:
    """Whatever it is called."""
    with pytest.raises(NotSubtitlesError):
        web_vtt(data)


def test_hostile_subtitles_take_no_time() -> None:
    """Two mebibytes made to be slow."""
    for data in (
        b"00:00:01,000 --> 00:00:02,000\n" + b"\n1 " * 600_000 + b"\n00:00:01,000 --> 00:00:02,000\nx",
        b"00:00:01,000 --> 00:00:02,000\n" + b"<" * 1_000_000 + b"<i " * 300_000,
        b"00:00:01,000 --> 00:00:02,000\n" + b"{\\" * 1_000_000,
        b"0" * 2_000_000,
        b" " * 2_000_000 + b"-->",
    ):
        try:
            web_vtt(data)
        except NotSubtitlesError:
            continue
