"""Codec configuration records of H.264 and AAC, and codec names by RFC 6381."""

from collections.abc import Iterator

_IDR, _NAL_TYPE_MASK = 5, 0x1F
_AAC_ESCAPE = 31
AAC_LC = 2


def is_avc_configuration(record: bytes) -> bool:
    """Return whether ``record`` is an AVCDecoderConfigurationRecord with a sequence parameter set."""
    return len(record) > 8 and record[0] == 1 and record[5] & 0x1F > 0


def avc_name(record: bytes) -> str:
    """Return a name like ``avc1.64001f``."""
    return f"avc1.{record[1:4].hex()}"


def aac_name(configuration: bytes) -> str:
    """Return a name like ``mp4a.40.2``."""
    return f"mp4a.40.{aac_object_type(configuration)}"


def aac_object_type(configuration: bytes) -> int:
    """Return the MPEG-4 audio object type in an AudioSpecificConfig."""
    object_type = configuration[0] >> 3
    if object_type == _AAC_ESCAPE:
        object_type = 32 + ((configuration[0] & 7) << 3 | configuration[1] >> 5)
    return object_type


def has_idr_unit(record: bytes, packet: bytes) -> bool:
    """Return whether an H.264 packet (NAL units with length prefixes) can start a segment: it contains an IDR unit."""
    return any(header & _NAL_TYPE_MASK == _IDR for header in _nal_headers(packet, (record[4] & 3) + 1))


def _nal_headers(packet: bytes, length_size: int) -> Iterator[int]:
    position = 0
    while position + length_size < len(packet):
        length = int.from_bytes(packet[position : position + length_size])
        yield packet[position + length_size]
        position += length_size + length
