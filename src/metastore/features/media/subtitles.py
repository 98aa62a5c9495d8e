"""Subtitles that lie beside a film: ``film.srt``, ``film.vi.vtt``; which they are, and as WebVTT.

Players of HLS take WebVTT alone, with a header that tells which moment of the film its times begin at. SubRip, which
has no standard, is made into it: times, line breaks and the three tags that both know are kept, all else becomes plain
text.
"""

import re
from collections.abc import Iterator
from html import unescape

from metastore.features.media.cue_times import timestamp
from metastore.features.media.decoding import decoded
from metastore.ports.transcoder import SHIFT_US

LARGEST = 2 * 2**20
"""Bytes."""
SUFFIXES = (".srt", ".vtt")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{2,8})*", re.IGNORECASE)
_TIME = r"(\d{1,3}):(\d\d):(\d\d)(?:[,.](\d{1,3}))?"
_TIMES = re.compile(rf"^[ \t]*{_TIME}[ \t]*-->[ \t]*{_TIME}.*$", re.MULTILINE)
_NUMBER = re.compile(r"\n[ \t]*\d+[ \t]*\n*\Z")
_STYLE = re.compile(r"\{\\[^{}\n]*\}")
_TAG = re.compile(r"<(/?)([a-zA-Z]+)(?:\s[^<>\n]*)?>")
_KNOWN_TAGS = frozenset({"b", "i", "u"})
_OWN_MAP = re.compile(r"^X-TIMESTAMP-MAP=.*\n", re.MULTILINE)
_HEADER = f"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{SHIFT_US * 9 // 100},LOCAL:00:00:00.000\n"


class NotSubtitlesError(Exception):
    """There are no subtitles in it."""


def language_beside(stem: str, name: str) -> tuple[bool, str | None]:
    """Whether a file of that ``name`` has the subtitles of a film with that ``stem``, and their language by BCP 47."""
    bare, dot, suffix = name.rpartition(".")
    if f"{dot}{suffix}".lower() not in SUFFIXES:
        return False, None
    if bare == stem:
        return True, None
    language = bare.removeprefix(f"{stem}.")
    return (True, language.replace("_", "-")) if _LANGUAGE.fullmatch(language) else (False, None)


def web_vtt(data: bytes) -> str:
    """Subtitles as WebVTT for HLS.

    Raises:
        NotSubtitlesError: see there.
    """
    text = decoded(data)
    if text is None:
        raise NotSubtitlesError
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    if text.startswith("WEBVTT"):
        return _with_map(text)
    cues = sorted(_cues(text), key=lambda cue: cue[:2])
    if not cues:
        raise NotSubtitlesError
    return _HEADER + "".join(f"\n{timestamp(start)} --> {timestamp(end)}\n{lines}\n" for start, end, lines in cues)


def _with_map(text: str) -> str:
    """What is WebVTT already: its header gets our map, whatever it had."""
    header, gap, rest = text.partition("\n\n")
    others = _OWN_MAP.sub("", f"{header}\n").partition("\n")[2]
    return f"{_HEADER}{others}{gap[1:]}{rest}"


def _cues(text: str) -> Iterator[tuple[int, int, str]]:
    """Begin and end in milliseconds, and the text in between."""
    found = list(_TIMES.finditer(text))
    for at, times in enumerate(found):
        end = found[at + 1].start() if at + 1 < len(found) else len(text)
        block = text[times.end() : end]
        # The number of the next one stands before its times.
        block = _NUMBER.sub("\n", block) if at + 1 < len(found) else block
        lines = [_safe(line.strip()) for line in block.strip().split("\n")]
        groups = times.groups()
        begins, ends = _milliseconds(groups[:4]), _milliseconds(groups[4:])
        # An empty line would end the cue.
        shown = "\n".join(line for line in lines if line)
        if shown and begins < ends:
            yield begins, ends, shown


def _safe(line: str) -> str:
    """A line of SubRip as one of WebVTT."""
    line = _STYLE.sub("", line)
    parts, last = [], 0
    for tag in _TAG.finditer(line):
        parts.append(_escaped(line[last : tag.start()]))
        name = tag[2].lower()
        if name in _KNOWN_TAGS:
            parts.append(f"<{tag[1]}{name}>")
        elif name != "font":
            parts.append(_escaped(tag[0]))
        last = tag.end()
    return "".join([*parts, _escaped(line[last:])])


def _escaped(text: str) -> str:
    # Some files have entities already.
    return unescape(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _milliseconds(parts: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, fraction = parts
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return whole * 1000 + int((fraction or "0").ljust(3, "0"))
