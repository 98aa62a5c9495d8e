"""What streams say of themselves: H.264's and AAC's configuration records, and their names by RFC 6381."""

from collections.abc import Iterator

_IDR, _TYPE = 5, 0x1F
_AAC_ESCAPE = 31
AAC_LC = 2


def is_avc_configuration(record: bytes) -> bool:
    """Whether that is an AVCDecoderConfigurationRecord with at least one set of parameters."""
    return len(record) > 8 and record[0] == 1 and record[5] & 0x1F > 0


def picture_name(record: bytes) -> str:
    """As ``avc1.64001f``."""
    return f"avc1.{record[1:4].hex()}"


def sound_name(configuration: bytes) -> str:
    """As ``mp4a.40.2``."""
    return f"mp4a.40.{sound_type(configuration)}"


def sound_type(configuration: bytes) -> int:
    """The kind of AAC (MPEG-4's audio object type)."""
    kind = configuration[0] >> 3
    if kind == _AAC_ESCAPE:
        kind = 32 + ((configuration[0] & 7) << 3 | configuration[1] >> 5)
    return kind


def begins_anew(record: bytes, packet: bytes) -> bool:
    """Whether a frame of H.264 (lengths before its units) stands by itself, and so do all that follow it."""
    return any(unit & _TYPE == _IDR for unit in _first_bytes(packet, (record[4] & 3) + 1))


def _first_bytes(packet: bytes, length_size: int) -> Iterator[int]:
    at = 0
    while at + length_size < len(packet):
        length = int.from_bytes(packet[at : at + length_size])
        yield packet[at + length_size]
        at += length_size + length
