"""Sidecar subtitles (``video.srt``, ``video.vi.vtt``): recognize their names and convert them to WebVTT.

HLS requires WebVTT with a header that maps its timestamps to those of the segments. SubRip, which has no standard, is
converted: times, line breaks and the three tags that both formats share are kept, everything else becomes plain text.
"""

import re
from collections.abc import Iterator
from html import unescape

from metastore.features.media.playback.text_decoding import decode_text
from metastore.features.media.playback.webvtt import timestamp
from metastore.ports.transcoder import SHIFT_US

MAX_SIZE = 2 * 2**20
"""Bytes."""
_SUFFIXES = (".srt", ".vtt")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{2,8})*", re.IGNORECASE)
_TIME = r"(\d{1,3}):(\d\d):(\d\d)(?:[,.](\d{1,3}))?"
_TIMES = re.compile(rf"^[ \t]*{_TIME}[ \t]*-->[ \t]*{_TIME}.*$", re.MULTILINE)
_CUE_NUMBER = re.compile(r"\n[ \t]*\d+[ \t]*\n*\Z")
_STYLE = re.compile(r"\{\\[^{}\n]*\}")
_TAG = re.compile(r"<(/?)([a-zA-Z]+)(?:\s[^<>\n]*)?>")
_SHARED_TAGS = frozenset({"b", "i", "u"})
_TIMESTAMP_MAP = re.compile(r"^X-TIMESTAMP-MAP=.*\n", re.MULTILINE)
_HEADER = f"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{SHIFT_US * 9 // 100},LOCAL:00:00:00.000\n"


class NotSubtitlesError(Exception):
    """The data is not a subtitle file."""


def parse_sidecar_name(stem: str, name: str) -> tuple[bool, str | None]:
    """Return whether ``name`` is that of a subtitle file for a video named ``stem``, and its language if it has one."""
    bare, dot, suffix = name.rpartition(".")
    if f"{dot}{suffix}".lower() not in _SUFFIXES:
        return False, None
    if bare == stem:
        return True, None
    language = bare.removeprefix(f"{stem}.")
    return (True, language.replace("_", "-")) if _LANGUAGE.fullmatch(language) else (False, None)


def to_webvtt(data: bytes) -> str:
    """Convert a subtitle file to WebVTT for HLS.

    Raises:
        NotSubtitlesError: it contains no text or no cue.
    """
    text = decode_text(data)
    if text is None:
        raise NotSubtitlesError
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    if text.startswith("WEBVTT"):
        return _replace_timestamp_map(text)
    cues = sorted(_subrip_cues(text), key=lambda cue: cue[:2])
    if not cues:
        raise NotSubtitlesError
    return _HEADER + "".join(f"\n{timestamp(start)} --> {timestamp(end)}\n{lines}\n" for start, end, lines in cues)


def _replace_timestamp_map(text: str) -> str:
    header, gap, rest = text.partition("\n\n")
    other_lines = _TIMESTAMP_MAP.sub("", f"{header}\n").partition("\n")[2]
    return f"{_HEADER}{other_lines}{gap[1:]}{rest}"


def _subrip_cues(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the start and end in milliseconds and the text of each cue."""
    matches = list(_TIMES.finditer(text))
    for index, times in enumerate(matches):
        end = matches[index + 1].start() if index + 1 < len(matches) else len(text)
        block = text[times.end() : end]
        # The number of the next cue precedes its times.
        block = _CUE_NUMBER.sub("\n", block) if index + 1 < len(matches) else block
        lines = [_convert_line(line.strip()) for line in block.strip().split("\n")]
        groups = times.groups()
        start_ms, end_ms = _milliseconds(groups[:4]), _milliseconds(groups[4:])
        # An empty line would end the cue.
        content = "\n".join(line for line in lines if line)
        if content and start_ms < end_ms:
            yield start_ms, end_ms, content


def _convert_line(line: str) -> str:
    """Convert a line of SubRip to WebVTT, escaping everything but shared tags."""
    line = _STYLE.sub("", line)
    parts, last = [], 0
    for tag in _TAG.finditer(line):
        parts.append(_escape(line[last : tag.start()]))
        name = tag[2].lower()
        if name in _SHARED_TAGS:
            parts.append(f"<{tag[1]}{name}>")
        elif name != "font":
            parts.append(_escape(tag[0]))
        last = tag.end()
    return "".join([*parts, _escape(line[last:])])


def _escape(text: str) -> str:
    # Some files contain entities already.
    return unescape(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _milliseconds(parts: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, fraction = parts
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return whole * 1000 + int((fraction or "0").ljust(3, "0"))
