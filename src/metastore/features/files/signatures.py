"""Kinds of files whose beginnings need a closer look than a magic number at a fixed place.

Boxes and packages share their first bytes with much else: MP4 and HEIC, any ZIP and a document, Ogg with a film and
Ogg with a song. Sound without a container has none but the pattern of its frames.
"""

import re

_HEVC_PICTURES = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AV1_PICTURES = frozenset({b"avif", b"avis"})
_PICTURES = frozenset({b"mif1", b"msf1", b"mif2"})
_SOUNDS = frozenset({b"M4A ", b"M4B ", b"M4P "})
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_ZIP_NAME = 30
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
_OGG_FILMS = (b"\x80theora", b"\x01video", b"BBCD\0")
_OGG_SOUNDS = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   ")
_SVG = re.compile(
    r"\ufeff?\s*(?:<\?xml[^>]*\?>\s*)?"
    r"(?:<!--.*?-->\s*|<\?[^>]*\?>\s*|<!DOCTYPE\s+(?:\w+:)?svg\b[^\[>]*(?:\[.*?\]\s*)?>\s*)*"
    r"<(?:[A-Za-z_][\w.-]*:)?svg[\s>/]",
    re.DOTALL | re.IGNORECASE,
)
_MPEG_LAYER_3 = {
    # Kilobits a second, of versions 1 and 2.
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MPEG_RATES = (44100, 48000, 32000)


def is_digital_video(head: bytes) -> bool:
    """Whether it is DV as it comes from the tape (SMPTE 314M): a header block of 80 bytes, then one of subcode."""
    return head[:3] == b"\x1f\x07\x00" and head[3:4] in (b"\x3f", b"\xbf") and head[80:82] == b"\x3f\x07"


def picture_or_sound_in_boxes(head: bytes) -> str | None:
    """What ISO media boxes (ISO/IEC 14496-12) hold besides films, by the brands that they name."""
    if head[4:8] != b"ftyp":
        return None
    box = head[: int.from_bytes(head[:4], "big")]
    major = box[8:12]
    if major in _SOUNDS:
        return "audio/mp4"
    brands = {major, *(box[at : at + 4] for at in range(16, min(len(box), 400) - 3, 4))}
    if major in _AV1_PICTURES or (major in _PICTURES and brands & _AV1_PICTURES):
        return "image/avif"
    if major in _HEVC_PICTURES or (major in _PICTURES and brands & _HEVC_PICTURES):
        return "image/heic"
    return "image/heif" if major in _PICTURES else None


def is_package(head: bytes) -> bool:
    """Whether it is a ZIP."""
    return head.startswith(_ZIP)


def document_in_package(head: bytes, by_suffix: str | None) -> str | None:
    """What an office document's ZIP says that it is, by its first entries; the suffix where they do not tell."""
    names = _entry_names(head)
    if names[:1] == [b"mimetype"]:
        declared = _DECLARED.match(head, _ZIP_NAME + len(b"mimetype"))
        return declared[0].decode() if declared else None
    for name in names:
        for folder, kind in _OOXML_FOLDERS.items():
            if name.startswith(folder):
                # A template, or one with macros, is told by its suffix alone.
                return by_suffix if by_suffix and by_suffix.startswith("application/vnd.ms-") else kind
    looks_right = any(name.startswith(_OOXML_PARTS) for name in names)
    return by_suffix if looks_right and by_suffix and by_suffix.startswith(_OOXML) else None


def old_document(head: bytes, suffix: str) -> str | None:
    """A document of the time before ZIP; all of them begin alike, and the suffix tells which it is."""
    return _OLE_SUFFIXES.get(suffix) if head.startswith(_OLE) else None


def in_ogg(head: bytes) -> str | None:
    """Film or sound: the first page of each stream names its codec."""
    if not head.startswith(b"OggS"):
        return None
    if any(codec in head for codec in _OGG_FILMS):
        return "video/ogg"
    return "audio/ogg" if any(codec in head for codec in _OGG_SOUNDS) else None


def is_svg(head: bytes) -> bool:
    """Whether the first element is that of a drawing."""
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    return _SVG.match(head.decode(encoding, "ignore")) is not None


def bare_sound(head: bytes) -> str | None:
    """MP3 or AAC without a container: two frames, one right after the other."""
    if len(head) < 8 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        return "audio/aac" if length > 7 and head[length : length + 2] == head[:2] else None
    length = _layer_3_length(head)
    return "audio/mpeg" if length and head[length : length + 2] == head[:2] else None


def _layer_3_length(head: bytes) -> int:
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    rate_index, kilobits_index = head[2] >> 2 & 3, head[2] >> 4
    if head[1] & 0xE0 != 0xE0 or version == 1 or layer != 1 or rate_index == 3 or kilobits_index in (0, 15):
        return 0
    kilobits = _MPEG_LAYER_3[1 if version == 3 else 2][kilobits_index]
    rate = _MPEG_RATES[rate_index] // {3: 1, 2: 2, 0: 4}[version]
    return (144 if version == 3 else 72) * kilobits * 1000 // rate + (head[2] >> 1 & 1)


def _entry_names(head: bytes) -> list[bytes]:
    """Names of the entries that begin in ``head``."""
    names = []
    at = 0 if is_package(head) else -1
    while at >= 0:
        length = int.from_bytes(head[at + 26 : at + 28], "little")
        names.append(head[at + _ZIP_NAME : at + _ZIP_NAME + length])
        at = head.find(_ZIP, at + 4)
    return names
