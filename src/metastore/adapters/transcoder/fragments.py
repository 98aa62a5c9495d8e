"""Fragmented MP4 (ISO/IEC 14496-12, -14, -15): one track, an initialisation segment and media segments.

Written here rather than by FFmpeg's muxer, so that each segment is what its samples and their times say and nothing
else: the muxer carries state from one to the next, which a job that goes on where another was cut off does not have.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_UNDETERMINED = 0x55C4
_STANDS_BY_ITSELF = 0x02000000
_NEEDS_OTHERS = 0x01010000
_MOVIE_TIMESCALE = 1000
# What the flags of `tfhd` and `trun` say is there.
_BASE_IS_MOOF, _DEFAULT_FLAGS = 0x020000, 0x20
_DATA_OFFSET, _DURATIONS, _SIZES, _FLAGS, _OFFSETS = 0x1, 0x100, 0x200, 0x400, 0x800


@dataclass(frozen=True, slots=True)
class Sample:
    """A frame's bytes, when it is decoded and shown, in ticks, and whether it stands by itself."""

    data: bytes
    decoded: int
    shown: int
    is_key: bool = True


@dataclass(frozen=True, slots=True)
class Picture:
    """H.264: its configuration record (avcC), coded size, and the shape of its pixels."""

    timescale: int
    configuration: bytes
    width: int
    height: int
    pixel_width: int = 1
    pixel_height: int = 1


@dataclass(frozen=True, slots=True)
class Sound:
    """AAC: its AudioSpecificConfig."""

    timescale: int
    configuration: bytes
    channels: int


def initialisation(track: Picture | Sound) -> bytes:
    """The initialisation segment."""
    is_picture = isinstance(track, Picture)
    header = _box("hdlr", _full(), bytes(4), b"vide" if is_picture else b"soun", bytes(12), b"\0")
    media_header = _box("vmhd", _full(0, 1), bytes(8)) if is_picture else _box("smhd", _full(), bytes(4))
    entry = _picture_entry(track) if isinstance(track, Picture) else _sound_entry(track)
    table = _box(
        "stbl",
        _box("stsd", _full(), _u32(1), entry),
        _box("stts", _full(), _u32(0)),
        _box("stsc", _full(), _u32(0)),
        _box("stsz", _full(), _u32(0, 0)),
        _box("stco", _full(), _u32(0)),
    )
    here = _box("dinf", _box("dref", _full(), _u32(1), _box("url ", _full(0, 1))))
    media = _box(
        "mdia",
        _box("mdhd", _full(), _u32(0, 0, track.timescale, 0), struct.pack(">HH", _UNDETERMINED, 0)),
        header,
        _box("minf", media_header, here, table),
    )
    times = _u32(0, 0, _MOVIE_TIMESCALE, 0, 0x10000, 0x01000000)
    movie = _box("mvhd", _full(), times, bytes(8), _MATRIX, bytes(24), _u32(2))
    extends = _box("mvex", _box("trex", _full(), _u32(1, 1, 0, 0, 0)))
    whole = _box("moov", movie, _box("trak", _track_header(track), media), extends)
    return _box("ftyp", b"iso6", _u32(0), b"iso6cmfcmp41") + whole


def segment(number: int, samples: Sequence[Sample], until: int) -> bytes:
    """A media segment of samples in the order of their decoding; ``until`` is when the next would be decoded."""
    times = [sample.decoded for sample in samples]
    lengths = [later - earlier for earlier, later in zip(times, [*times[1:], until], strict=True)]
    rows = b"".join(
        struct.pack(
            ">IIIi",
            length,
            len(sample.data),
            _STANDS_BY_ITSELF if sample.is_key else _NEEDS_OTHERS,
            sample.shown - sample.decoded,
        )
        for sample, length in zip(samples, lengths, strict=True)
    )
    head = _box("tfhd", _full(0, _BASE_IS_MOOF), _u32(1)) + _box("tfdt", _full(1), struct.pack(">Q", times[0]))
    row_kinds = _DATA_OFFSET | _DURATIONS | _SIZES | _FLAGS | _OFFSETS
    sequence = _box("mfhd", _full(), _u32(number + 1))

    def fragment(offset: int) -> bytes:
        run = _box("trun", _full(1, row_kinds), _u32(len(samples), offset), rows)
        return _box("moof", sequence, _box("traf", head, run))

    payload = sum(len(sample.data) for sample in samples)
    described = fragment(len(fragment(0)) + 8)
    kind = _box("styp", b"msdh", _u32(0), b"msdhcmfs")
    return b"".join([kind, described, _u32(payload + 8), b"mdat", *(sample.data for sample in samples)])


def _track_header(track: Picture | Sound) -> bytes:
    if isinstance(track, Picture):
        shape = _u32((track.width * track.pixel_width << 16) // track.pixel_height, track.height << 16)
        volume = 0
    else:
        shape, volume = _u32(0, 0), 0x0100
    place = bytes(8) + struct.pack(">HHHH", 0, 0, volume, 0)
    return _box("tkhd", _full(0, 7), _u32(0, 0, 1, 0, 0), place, _MATRIX, shape)


def _picture_entry(track: Picture) -> bytes:
    size = struct.pack(">HH", track.width, track.height)
    resolution = _u32(0x480000, 0x480000, 0)
    shape = _box("pasp", _u32(track.pixel_width, track.pixel_height))
    before = bytes(6) + struct.pack(">H", 1) + bytes(16)
    after = struct.pack(">H", 1) + bytes(32) + struct.pack(">Hh", 24, -1)
    return _box("avc1", before, size, resolution, after, _box("avcC", track.configuration), shape)


def _sound_entry(track: Sound) -> bytes:
    specific = _descriptor(5, track.configuration)
    decoder = _descriptor(4, struct.pack(">BB3xII", 0x40, 0x15, 0, 0) + specific)
    stream = _descriptor(3, struct.pack(">HB", 0, 0) + decoder + _descriptor(6, b"\x02"))
    rate = min(track.timescale, 0xFFFF) << 16
    about = struct.pack(">HHHHI", track.channels, 16, 0, 0, rate)
    return _box("mp4a", bytes(6), struct.pack(">H", 1), bytes(8), about, _box("esds", _full(), stream))


def _descriptor(tag: int, content: bytes) -> bytes:
    sizes = [len(content) >> 7 * place & 0x7F | (0x80 if place else 0) for place in (3, 2, 1, 0)]
    return bytes([tag, *sizes]) + content


def _box(kind: str, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return _u32(len(content) + 8) + kind.encode() + content


def _full(version: int = 0, flags: int = 0) -> bytes:
    return _u32(version << 24 | flags)


def _u32(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}I", *numbers)
