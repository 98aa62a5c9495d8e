"""A muxer for fragmented MP4 with one track (ISO/IEC 14496-12, -14, -15): init segments and media segments.

FFmpeg's muxer carries state from one segment to the next, which a job that resumes another one does not have. Here a
segment depends on nothing but its samples and their times.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_LANGUAGE_UND = 0x55C4
_SYNC_SAMPLE = 0x02000000
_NON_SYNC_SAMPLE = 0x01010000
_MOVIE_TIMESCALE = 1000
# Flags of `tfhd` and `trun`: which fields are present.
_BASE_IS_MOOF, _DEFAULT_FLAGS = 0x020000, 0x20
_DATA_OFFSET, _DURATIONS, _SIZES, _FLAGS, _OFFSETS = 0x1, 0x100, 0x200, 0x400, 0x800


@dataclass(frozen=True, slots=True)
class Sample:
    """An encoded frame, the ticks at which it is decoded and shown, and whether it is a sync sample."""

    data: bytes
    decoded: int
    shown: int
    is_key: bool = True


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """An H.264 track: configuration record (avcC), coded size and pixel aspect ratio."""

    timescale: int
    configuration: bytes
    width: int
    height: int
    pixel_width: int = 1
    pixel_height: int = 1


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """An AAC track: AudioSpecificConfig and number of channels."""

    timescale: int
    configuration: bytes
    channels: int


def init_segment(track: VideoTrack | AudioTrack) -> bytes:
    """Return the init segment of a track."""
    is_video = isinstance(track, VideoTrack)
    header = _box("hdlr", _full(), bytes(4), b"vide" if is_video else b"soun", bytes(12), b"\0")
    media_header = _box("vmhd", _full(0, 1), bytes(8)) if is_video else _box("smhd", _full(), bytes(4))
    entry = _video_entry(track) if isinstance(track, VideoTrack) else _audio_entry(track)
    table = _box(
        "stbl",
        _box("stsd", _full(), _u32(1), entry),
        _box("stts", _full(), _u32(0)),
        _box("stsc", _full(), _u32(0)),
        _box("stsz", _full(), _u32(0, 0)),
        _box("stco", _full(), _u32(0)),
    )
    data_information = _box("dinf", _box("dref", _full(), _u32(1), _box("url ", _full(0, 1))))
    media = _box(
        "mdia",
        _box("mdhd", _full(), _u32(0, 0, track.timescale, 0), struct.pack(">HH", _LANGUAGE_UND, 0)),
        header,
        _box("minf", media_header, data_information, table),
    )
    times = _u32(0, 0, _MOVIE_TIMESCALE, 0, 0x10000, 0x01000000)
    movie_header = _box("mvhd", _full(), times, bytes(8), _MATRIX, bytes(24), _u32(2))
    extends = _box("mvex", _box("trex", _full(), _u32(1, 1, 0, 0, 0)))
    movie = _box("moov", movie_header, _box("trak", _track_header(track), media), extends)
    return _box("ftyp", b"iso6", _u32(0), b"iso6cmfcmp41") + movie


def media_segment(number: int, samples: Sequence[Sample], decoded_until: int) -> bytes:
    """Return a media segment of samples in decoding order; ``decoded_until`` is the decode time of the next sample."""
    times = [sample.decoded for sample in samples]
    durations = [later - earlier for earlier, later in zip(times, [*times[1:], decoded_until], strict=True)]
    entries = b"".join(
        struct.pack(
            ">IIIi",
            duration,
            len(sample.data),
            _SYNC_SAMPLE if sample.is_key else _NON_SYNC_SAMPLE,
            sample.shown - sample.decoded,
        )
        for sample, duration in zip(samples, durations, strict=True)
    )
    header = _box("tfhd", _full(0, _BASE_IS_MOOF), _u32(1)) + _box("tfdt", _full(1), struct.pack(">Q", times[0]))
    run_flags = _DATA_OFFSET | _DURATIONS | _SIZES | _FLAGS | _OFFSETS
    sequence = _box("mfhd", _full(), _u32(number + 1))

    def movie_fragment(data_offset: int) -> bytes:
        run = _box("trun", _full(1, run_flags), _u32(len(samples), data_offset), entries)
        return _box("moof", sequence, _box("traf", header, run))

    payload_size = sum(len(sample.data) for sample in samples)
    fragment = movie_fragment(len(movie_fragment(0)) + 8)
    segment_type = _box("styp", b"msdh", _u32(0), b"msdhcmfs")
    return b"".join([segment_type, fragment, _u32(payload_size + 8), b"mdat", *(sample.data for sample in samples)])


def _track_header(track: VideoTrack | AudioTrack) -> bytes:
    if isinstance(track, VideoTrack):
        display_size = _u32((track.width * track.pixel_width << 16) // track.pixel_height, track.height << 16)
        volume = 0
    else:
        display_size, volume = _u32(0, 0), 0x0100
    layer_and_volume = bytes(8) + struct.pack(">HHHH", 0, 0, volume, 0)
    return _box("tkhd", _full(0, 7), _u32(0, 0, 1, 0, 0), layer_and_volume, _MATRIX, display_size)


def _video_entry(track: VideoTrack) -> bytes:
    size = struct.pack(">HH", track.width, track.height)
    resolution = _u32(0x480000, 0x480000, 0)
    aspect_ratio = _box("pasp", _u32(track.pixel_width, track.pixel_height))
    before = bytes(6) + struct.pack(">H", 1) + bytes(16)
    after = struct.pack(">H", 1) + bytes(32) + struct.pack(">Hh", 24, -1)
    return _box("avc1", before, size, resolution, after, _box("avcC", track.configuration), aspect_ratio)


def _audio_entry(track: AudioTrack) -> bytes:
    specific = _descriptor(5, track.configuration)
    decoder = _descriptor(4, struct.pack(">BB3xII", 0x40, 0x15, 0, 0) + specific)
    stream = _descriptor(3, struct.pack(">HB", 0, 0) + decoder + _descriptor(6, b"\x02"))
    rate = min(track.timescale, 0xFFFF) << 16
    format_fields = struct.pack(">HHHHI", track.channels, 16, 0, 0, rate)
    return _box("mp4a", bytes(6), struct.pack(">H", 1), bytes(8), format_fields, _box("esds", _full(), stream))


def _descriptor(tag: int, content: bytes) -> bytes:
    sizes = [len(content) >> 7 * digit & 0x7F | (0x80 if digit else 0) for digit in (3, 2, 1, 0)]
    return bytes([tag, *sizes]) + content


def _box(kind: str, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return _u32(len(content) + 8) + kind.encode() + content


def _full(version: int = 0, flags: int = 0) -> bytes:
    return _u32(version << 24 | flags)


def _u32(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}I", *numbers)
