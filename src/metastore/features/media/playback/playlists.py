"""HLS playlists (RFC 8216) as text.

The **master playlist** lists the variants: the video in each size, with all audio and subtitle tracks as groups; for an
audio file, the audio. A **media playlist** lists the segments of one rendition. While the rendition is being created
the playlist has the type EVENT: segments are only ever appended.

All functions are pure. Version 7 is required for fragmented MP4 (``EXT-X-MAP``) with alternative renditions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

_HEADER = "#EXTM3U\n#EXT-X-VERSION:7\n"
_COMMON_BANDWIDTH = 3_000_000
"""Bits per second that most connections have."""
_AUDIO_GROUP, _SUBTITLE_GROUP = "audio", "subtitles"


@dataclass(frozen=True, slots=True)
class Variant:
    """A video rendition in a master playlist; bandwidths in bits per second, codecs as in RFC 6381."""

    uri: str
    bandwidth: int
    average_bandwidth: int
    codecs: str
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """A subtitle track that can be selected with a variant; ``language`` is a BCP 47 tag."""

    uri: str
    name: str
    language: str | None = None
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class AudioTrack(Track):
    """An audio track; bandwidths in bits per second."""

    bandwidth: int = 0
    average_bandwidth: int = 0
    codecs: str = ""


def master(videos: Sequence[Variant], audio: Sequence[AudioTrack], subtitles: Sequence[Track]) -> str:
    """Return the master playlist. There must be at least one video or audio rendition.

    Many players start with the first variant, so that is the best one that most connections can carry.
    """
    lines = [_HEADER, "#EXT-X-INDEPENDENT-SEGMENTS\n"]
    names = _unique_names(audio)
    default = next((index for index, track in enumerate(audio) if track.is_default), 0)
    if videos or len(audio) > 1:
        lines += [
            _media("AUDIO", _AUDIO_GROUP, track, name, default=index == default)
            for index, (track, name) in enumerate(zip(audio, names, strict=True))
        ]
    lines += [
        _media("SUBTITLES", _SUBTITLE_GROUP, track, name, default=False)
        for track, name in zip(subtitles, _unique_names(subtitles), strict=True)
    ]
    groups = f',SUBTITLES="{_SUBTITLE_GROUP}"' if subtitles else ""
    if not videos:
        track = audio[default]
        groups += f',AUDIO="{_AUDIO_GROUP}"' if len(audio) > 1 else ""
        lines.append(_stream_inf(Variant(track.uri, *_total_bandwidth(None, audio), track.codecs), groups, audio[:0]))
        return "".join(lines)
    groups += (f',AUDIO="{_AUDIO_GROUP}"' if audio else "") + ",CLOSED-CAPTIONS=NONE"
    lines += [_stream_inf(variant, groups, audio) for variant in sorted(videos, key=_preference)]
    return "".join(lines)


def media(target_seconds: int, init_uri: str, durations_us: Iterable[int], uris: Iterable[str], *, done: bool) -> str:
    """Return the media playlist of a rendition; ``target_seconds`` must not change while it grows."""
    # Without EXT-X-START, players take a growing playlist for a live stream and start at its end.
    kind = "VOD\n" if done else "EVENT\n#EXT-X-START:TIME-OFFSET=0\n"
    header = (
        f"{_HEADER}#EXT-X-TARGETDURATION:{target_seconds}\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:{kind}"
        f'#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI="{init_uri}"\n'
    )
    lines = [f"#EXTINF:{duration / 1_000_000:.6f},\n{uri}\n" for duration, uri in zip(durations_us, uris, strict=True)]
    return header + "".join(lines) + ("#EXT-X-ENDLIST\n" if done else "")


def subtitles(duration_us: int, uri: str) -> str:
    """Return the media playlist of a subtitle track, which is a single segment."""
    return (
        f"{_HEADER}#EXT-X-TARGETDURATION:{max(1, ceil(duration_us / 1_000_000))}\n#EXT-X-MEDIA-SEQUENCE:0\n"
        f"#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:{duration_us / 1_000_000:.6f},\n{uri}\n#EXT-X-ENDLIST\n"
    )


def _stream_inf(variant: Variant, groups: str, audio: Sequence[AudioTrack]) -> str:
    peak, average = _total_bandwidth(variant, audio)
    codecs = ",".join(dict.fromkeys([variant.codecs, *(track.codecs for track in audio)]))
    resolution = f",RESOLUTION={variant.width}x{variant.height}" if variant.width and variant.height else ""
    frame_rate = f",FRAME-RATE={variant.frame_rate:.3f}" if variant.frame_rate else ""
    return (
        f"#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},"
        f'CODECS="{codecs}"{resolution}{frame_rate}{groups}\n{variant.uri}\n'
    )


def _total_bandwidth(variant: Variant | None, audio: Sequence[AudioTrack]) -> tuple[int, int]:
    """Return the peak and average bandwidth of a variant together with the most demanding audio track."""
    peak = max((track.bandwidth for track in audio), default=0)
    average = max((track.average_bandwidth for track in audio), default=0)
    return (variant.bandwidth + peak, variant.average_bandwidth + average) if variant else (peak, average)


def _preference(variant: Variant) -> tuple[bool, int]:
    """Sort by descending bandwidth up to the common one, then the more demanding variants ascending."""
    bandwidth = variant.bandwidth
    return (True, bandwidth) if bandwidth > _COMMON_BANDWIDTH else (False, -bandwidth)


def _media(kind: str, group: str, track: Track, name: str, *, default: bool) -> str:
    language = f',LANGUAGE="{_quotable(track.language)}"' if track.language else ""
    yes_or_no = "YES" if default else "NO"
    return (
        f'#EXT-X-MEDIA:TYPE={kind},GROUP-ID="{group}",NAME="{name}"{language},'
        f'DEFAULT={yes_or_no},AUTOSELECT=YES,URI="{track.uri}"\n'
    )


def _unique_names(tracks: Sequence[Track]) -> list[str]:
    """Return the names of a group's tracks, numbered where they would repeat, which RFC 8216 forbids."""
    names: list[str] = []
    for track in tracks:
        name, occurrences = _quotable(track.name), 1
        while name in names:
            occurrences += 1
            name = f"{_quotable(track.name)} ({occurrences})"
        names.append(name)
    return names


def _quotable(text: str) -> str:
    """Remove what a quoted string must not contain: quotes and line breaks."""
    return "".join("'" if char == '"' else char for char in text if char.isprintable())
