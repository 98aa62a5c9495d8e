"""Signatures of file types that a magic number at a fixed offset cannot tell apart.

Container formats share their first bytes: MP4 and HEIC, plain ZIP and office documents, Ogg video and Ogg audio. Raw
audio without a container can only be recognized by the pattern of its frames.
"""

import re

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"mif1", b"msf1", b"mif2"})
_M4A_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P "})
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_ZIP_NAME_OFFSET = 30
_OOXML = "application/vnd.openxmlformats-officedocument."
_OOXML_FOLDERS = {
    b"word/": f"{_OOXML}wordprocessingml.document",
    b"xl/": f"{_OOXML}spreadsheetml.sheet",
    b"ppt/": f"{_OOXML}presentationml.presentation",
}
_OOXML_PARTS = (b"[Content_Types].xml", b"_rels/", b"docProps/")
_DECLARED = re.compile(rb"application/[a-z0-9.+-]{1,80}")
_OLE_SUFFIXES = {
    ".doc": "application/msword",
    ".dot": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".ppt": "application/vnd.ms-powerpoint",
    ".pps": "application/vnd.ms-powerpoint",
}
_OGG_VIDEO_CODECS = (b"\x80theora", b"\x01video", b"BBCD\0")
_OGG_AUDIO_CODECS = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   ")
_SVG = re.compile(
    r"\ufeff?\s*(?:<\?xml[^>]*\?>\s*)?"
    r"(?:<!--.*?-->\s*|<\?[^>]*\?>\s*|<!DOCTYPE\s+(?:\w+:)?svg\b[^\[>]*(?:\[.*?\]\s*)?>\s*)*"
    r"<(?:[A-Za-z_][\w.-]*:)?svg[\s>/]",
    re.DOTALL | re.IGNORECASE,
)
_MPEG_LAYER_3 = {
    # Kilobits per second in MPEG versions 1 and 2.
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MPEG_RATES = (44100, 48000, 32000)


def is_dv(head: bytes) -> bool:
    """Return whether it is raw DV (SMPTE 314M): a header block of 80 bytes, then a subcode block."""
    return head[:3] == b"\x1f\x07\x00" and head[3:4] in (b"\x3f", b"\xbf") and head[80:82] == b"\x3f\x07"


def isobmff_type(head: bytes) -> str | None:
    """Return the type of an image or audio file in ISO base media format (ISO/IEC 14496-12), by its brands."""
    if head[4:8] != b"ftyp":
        return None
    box = head[: int.from_bytes(head[:4], "big")]
    major = box[8:12]
    if major in _M4A_BRANDS:
        return "audio/mp4"
    brands = {major, *(box[at : at + 4] for at in range(16, min(len(box), 400) - 3, 4))}
    if major in _AVIF_BRANDS or (major in _HEIF_BRANDS and brands & _AVIF_BRANDS):
        return "image/avif"
    if major in _HEIC_BRANDS or (major in _HEIF_BRANDS and brands & _HEIC_BRANDS):
        return "image/heic"
    return "image/heif" if major in _HEIF_BRANDS else None


def is_zip(head: bytes) -> bool:
    """Return whether it is a ZIP archive."""
    return head.startswith(_ZIP)


def zip_document_type(head: bytes, by_suffix: str | None) -> str | None:
    """Return the type of an office document in a ZIP by its first entries, else by its suffix."""
    names = _entry_names(head)
    if names[:1] == [b"mimetype"]:
        declared = _DECLARED.match(head, _ZIP_NAME_OFFSET + len(b"mimetype"))
        return declared[0].decode() if declared else None
    for name in names:
        for folder, media_type in _OOXML_FOLDERS.items():
            if name.startswith(folder):
                # Only the suffix distinguishes templates and documents with macros.
                return by_suffix if by_suffix and by_suffix.startswith("application/vnd.ms-") else media_type
    has_ooxml_parts = any(name.startswith(_OOXML_PARTS) for name in names)
    return by_suffix if has_ooxml_parts and by_suffix and by_suffix.startswith(_OOXML) else None


def ole_document_type(head: bytes, suffix: str) -> str | None:
    """Return the type of a legacy office document (OLE 2); they share a signature, so the suffix decides."""
    return _OLE_SUFFIXES.get(suffix) if head.startswith(_OLE) else None


def ogg_type(head: bytes) -> str | None:
    """Return the type of an Ogg file, video or audio: the first page of each stream names its codec."""
    if not head.startswith(b"OggS"):
        return None
    if any(codec in head for codec in _OGG_VIDEO_CODECS):
        return "video/ogg"
    return "audio/ogg" if any(codec in head for codec in _OGG_AUDIO_CODECS) else None


def is_svg(head: bytes) -> bool:
    """Return whether the root element is ``svg``."""
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    if encoding == "utf-8" and b"svg" not in head.lower():
        return False  # decoding binary data takes long
    return _SVG.match(head.decode(encoding, "ignore")) is not None


def raw_audio_type(head: bytes) -> str | None:
    """Return the type of MP3 or AAC without a container, recognized by two consecutive frames."""
    if len(head) < 8 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        return "audio/aac" if length > 7 and head[length : length + 2] == head[:2] else None
    length = _mp3_frame_length(head)
    return "audio/mpeg" if length and head[length : length + 2] == head[:2] else None


def _mp3_frame_length(head: bytes) -> int:
    """Return the length of the MPEG audio layer III frame at the start; 0 if there is none."""
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    rate_index, kilobits_index = head[2] >> 2 & 3, head[2] >> 4
    if head[1] & 0xE0 != 0xE0 or version == 1 or layer != 1 or rate_index == 3 or kilobits_index in (0, 15):
        return 0
    kilobits = _MPEG_LAYER_3[1 if version == 3 else 2][kilobits_index]
    rate = _MPEG_RATES[rate_index] // {3: 1, 2: 2, 0: 4}[version]
    return (144 if version == 3 else 72) * kilobits * 1000 // rate + (head[2] >> 1 & 1)


def _entry_names(head: bytes) -> list[bytes]:
    """Return the names of the ZIP entries that start in ``head``."""
    names = []
    at = 0 if is_zip(head) else -1
    while at >= 0:
        length = int.from_bytes(head[at + 26 : at + 28], "little")
        names.append(head[at + _ZIP_NAME_OFFSET : at + _ZIP_NAME_OFFSET + length])
        at = head.find(_ZIP, at + 4)
    return names
