"""HLS playlists (RFC 8216) as text, from what is known of a file's renditions.

The **master playlist** names the variants: the picture at each size, with all tracks of sound and of subtitles as
groups beside it; of sound alone, the sound. A **media playlist** names the segments of one rendition. While it is being
made it is of the type EVENT: segments are added at its end, and nothing else ever changes.

All functions are pure. ``version`` 7 is needed for fragmented MP4 beside tracks of their own (``EXT-X-MAP``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

_HEAD = "#EXTM3U\n#EXT-X-VERSION:7\n"
_COMFORTABLE = 3_000_000
"""Bits per second that most connections have."""
_SOUND, _TEXT = "audio", "subtitles"


@dataclass(frozen=True, slots=True)
class Variant:
    """A rendition as the master names it; bits per second at the fullest and on average, and codecs by RFC 6381."""

    uri: str
    bandwidth: int
    average_bandwidth: int
    codecs: str
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """A track to choose beside a variant; ``language`` by BCP 47."""

    uri: str
    name: str
    language: str | None = None
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class Sound(Track):
    """A track of sound."""

    bandwidth: int = 0
    average_bandwidth: int = 0
    codecs: str = ""


def master(pictures: Sequence[Variant], sounds: Sequence[Sound], subtitles: Sequence[Track]) -> str:
    """The master playlist; there is at least one picture or sound.

    The first variant is the one that players without an opinion begin with: the best that comes easily.
    """
    lines = [_HEAD, "#EXT-X-INDEPENDENT-SEGMENTS\n"]
    named = _named_apart(sounds)
    chosen = next((at for at, sound in enumerate(sounds) if sound.is_default), 0)
    if pictures or len(sounds) > 1:
        lines += [
            _media("AUDIO", _SOUND, sound, name, default=at == chosen)
            for at, (sound, name) in enumerate(zip(sounds, named, strict=True))
        ]
    lines += [
        _media("SUBTITLES", _TEXT, track, name, default=False)
        for track, name in zip(subtitles, _named_apart(subtitles), strict=True)
    ]
    groups = f',SUBTITLES="{_TEXT}"' if subtitles else ""
    if not pictures:
        sound = sounds[chosen]
        beside = groups + (f',AUDIO="{_SOUND}"' if len(sounds) > 1 else "")
        lines.append(_variant(Variant(sound.uri, *_sum(None, sounds), sound.codecs), beside, sounds[:0]))
        return "".join(lines)
    beside = groups + (f',AUDIO="{_SOUND}"' if sounds else "") + ",CLOSED-CAPTIONS=NONE"
    lines += [_variant(picture, beside, sounds) for picture in sorted(pictures, key=_by_comfort)]
    return "".join(lines)


def media(target_seconds: int, init_uri: str, durations_us: Iterable[int], uris: Iterable[str], *, done: bool) -> str:
    """The media playlist of a rendition; ``target_seconds`` stays the same while it grows."""
    # Without a start, players would take what is still growing for a broadcast, and begin at its end.
    kind = "VOD\n" if done else "EVENT\n#EXT-X-START:TIME-OFFSET=0\n"
    head = (
        f"{_HEAD}#EXT-X-TARGETDURATION:{target_seconds}\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:{kind}"
        f'#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI="{init_uri}"\n'
    )
    lines = [f"#EXTINF:{duration / 1_000_000:.6f},\n{uri}\n" for duration, uri in zip(durations_us, uris, strict=True)]
    return head + "".join(lines) + ("#EXT-X-ENDLIST\n" if done else "")


def subtitles(duration_us: int, uri: str) -> str:
    """The media playlist of a track of subtitles: the whole of it is one segment."""
    return (
        f"{_HEAD}#EXT-X-TARGETDURATION:{max(1, ceil(duration_us / 1_000_000))}\n#EXT-X-MEDIA-SEQUENCE:0\n"
        f"#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:{duration_us / 1_000_000:.6f},\n{uri}\n#EXT-X-ENDLIST\n"
    )


def _variant(variant: Variant, beside: str, sounds: Sequence[Sound]) -> str:
    peak, average = _sum(variant, sounds)
    codecs = ",".join(dict.fromkeys([variant.codecs, *(sound.codecs for sound in sounds)]))
    size = f",RESOLUTION={variant.width}x{variant.height}" if variant.width and variant.height else ""
    rate = f",FRAME-RATE={variant.frame_rate:.3f}" if variant.frame_rate else ""
    return (
        f"#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},"
        f'CODECS="{codecs}"{size}{rate}{beside}\n{variant.uri}\n'
    )


def _sum(variant: Variant | None, sounds: Sequence[Sound]) -> tuple[int, int]:
    """What the variant needs together with the track of its group that needs most."""
    peak = max((sound.bandwidth for sound in sounds), default=0)
    average = max((sound.average_bandwidth for sound in sounds), default=0)
    return (variant.bandwidth + peak, variant.average_bandwidth + average) if variant else (peak, average)


def _by_comfort(variant: Variant) -> tuple[bool, int]:
    needed = variant.bandwidth
    return (True, needed) if needed > _COMFORTABLE else (False, -needed)


def _media(kind: str, group: str, track: Track, name: str, *, default: bool) -> str:
    language = f',LANGUAGE="{_quotable(track.language)}"' if track.language else ""
    chosen = "YES" if default else "NO"
    return (
        f'#EXT-X-MEDIA:TYPE={kind},GROUP-ID="{group}",NAME="{name}"{language},'
        f'DEFAULT={chosen},AUTOSELECT=YES,URI="{track.uri}"\n'
    )


def _named_apart(tracks: Sequence[Track]) -> list[str]:
    """The names of the tracks of a group, which must differ."""
    names: list[str] = []
    for track in tracks:
        name, twins = _quotable(track.name), 1
        while name in names:
            twins += 1
            name = f"{_quotable(track.name)} ({twins})"
        names.append(name)
    return names


def _quotable(text: str) -> str:
    """What a quoted string may hold: neither quotes nor line ends."""
    return "".join("'" if char == '"' else char for char in text if char.isprintable())
