"""Content type detection from the first bytes of a file.

The bytes decide. Where several types share a signature (a ZIP may be a document, an MP4 an audio file), the name's
suffix chooses among the types that fit. If the bytes match no signature, the suffix decides, then the type claimed by
the client, unless a browser would run it. SVG is reported only if the bytes are SVG.

The type is only a label. It never makes content active: downloads are served as sandboxed attachments.
"""

import mimetypes
import re
from collections.abc import Iterable
from typing import NamedTuple

import puremagic

from metastore.features.files.content.signatures import (
    is_dv,
    is_svg,
    is_zip,
    isobmff_type,
    ogg_type,
    ole_document_type,
    raw_audio_type,
    zip_document_type,
)
from metastore.features.files.tree.names import split_suffix

UNKNOWN = "application/octet-stream"
SNIFFED_BYTES = 4096
"""How many bytes from the start of a file are read for detection."""

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_ACTIVE = re.compile(r"html|xml|svg|script|xslt|pdf|flash")
_TRUSTED_CONFIDENCE = 0.3
"""Equals a signature of at least three bytes; shorter ones match random data."""
_BY_SUFFIX = {
    ".3gp": "video/3gpp",
    ".aac": "audio/aac",
    ".ac3": "audio/ac3",
    ".aif": "audio/aiff",
    ".aiff": "audio/aiff",
    ".amr": "audio/amr",
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".caf": "audio/x-caf",
    ".docm": "application/vnd.ms-word.document.macroenabled.12",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".flac": "audio/flac",
    ".flv": "video/x-flv",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".m2ts": "video/mp2t",
    ".m4a": "audio/mp4",
    ".m4b": "audio/mp4",
    ".m4v": "video/mp4",
    ".md": "text/markdown",
    ".mka": "audio/x-matroska",
    ".mkv": "video/x-matroska",
    ".mov": "video/quicktime",
    ".mp4": "video/mp4",
    ".mxf": "application/mxf",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".opus": "audio/ogg",
    ".pptm": "application/vnd.ms-powerpoint.presentation.macroenabled.12",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".rtf": "application/rtf",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webp": "image/webp",
    ".wma": "audio/x-ms-wma",
    ".wmv": "video/x-ms-wmv",
    ".xlsm": "application/vnd.ms-excel.sheet.macroenabled.12",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".7z": "application/x-7z-compressed",
}
_PREFERRED_NAMES = {
    "application/x-gzip": "application/gzip",
    "application/x-matroska": "video/x-matroska",
    "audio/m4a": "audio/mp4",
    "audio/wave": "audio/wav",
    "audio/x-aiff": "audio/aiff",
    "audio/x-flac": "audio/flac",
    "audio/x-m4a": "audio/mp4",
    "audio/x-wav": "audio/wav",
    "image/x-ms-bmp": "image/bmp",
    "video/avi": "video/x-msvideo",
}
_PLAIN_CONTAINERS = ("application/zip", "application/ogg", "video/mp4")
"""Types preferred for an ambiguous signature that the suffix does not resolve."""
_SVG, _PDF = "image/svg+xml", "application/pdf"
_IMAGE_TYPES = frozenset(
    {
        "image/avif",
        "image/bmp",
        "image/gif",
        "image/heic",
        "image/heif",
        "image/jpeg",
        "image/png",
        "image/tiff",
        "image/webp",
    }
)
_AUDIO_TYPES = frozenset(
    {
        "audio/aac",
        "audio/ac3",
        "audio/aiff",
        "audio/amr",
        "audio/flac",
        "audio/mp4",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "audio/webm",
        "audio/x-caf",
        "audio/x-matroska",
        "audio/x-ms-wma",
    }
)
_OFFICE_TYPES = frozenset(
    {
        "application/msword",
        "application/rtf",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.oasis.opendocument.presentation",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    }
)
_ZIP_OR_OLE_TYPES = _OFFICE_TYPES - {"application/rtf"}
_TS_PACKET, _M2TS_PACKET = 188, 192
# Only Python's built-in table: the system's files would make results differ between machines.
_BUILT_IN = mimetypes.MimeTypes()


class SniffedContent(NamedTuple):
    """The media type of a file, without parameters, and whether its first bytes are those of a processed type.

    Processed are video, audio, images, SVG, PDF and office documents; the name alone is not enough. Office documents
    are processed only where ``ports.media_tools`` supports them.
    """

    mime_type: str
    is_media: bool


def sniff_content(head: bytes, name: str, claimed: str) -> SniffedContent:
    """Return what the first bytes of a file with this ``name`` tell about it.

    ``head`` holds the first ``SNIFFED_BYTES`` of the file; ``claimed`` is the type sent by the client.
    """
    suffix = split_suffix(name)[1].lower()
    by_suffix = _by_suffix(suffix)
    sniffed = _sniff(head, suffix, by_suffix)
    if sniffed:
        is_processed = _is_audiovisual(sniffed) or sniffed in (_SVG, _PDF) or sniffed in _OFFICE_TYPES
        return SniffedContent(sniffed, is_processed)
    if by_suffix and by_suffix != _SVG:
        return SniffedContent(by_suffix, is_media=False)
    media_type = normalize_media_type(claimed)
    return SniffedContent(UNKNOWN if _ACTIVE.search(media_type) else media_type, is_media=False)


def detect_content_type(head: bytes, name: str, claimed: str) -> str:
    """Return the media type that ``sniff_content`` finds."""
    return sniff_content(head, name, claimed).mime_type


def is_media(head: bytes, name: str) -> bool:
    """Return whether the first bytes are those of a type that is processed, as ``sniff_content`` finds."""
    return sniff_content(head, name, UNKNOWN).is_media


def has_media_suffix(name: str) -> bool:
    """Return whether the name has the suffix of a video, audio or image file.

    Such a file that cannot be decoded is damaged.
    """
    return _is_audiovisual(_by_suffix(split_suffix(name)[1].lower()) or "")


def is_office_document(mime_type: str) -> bool:
    """Return whether it is the type of an office document, which needs an office suite to be rendered."""
    return mime_type in _OFFICE_TYPES


def normalize_media_type(claimed: str) -> str:
    """Return ``claimed`` in lower case without parameters; ``application/octet-stream`` if it is not a media type."""
    media_type = claimed.partition(";")[0].strip().lower()
    return media_type if _MEDIA_TYPE.fullmatch(media_type) else UNKNOWN


def _by_suffix(suffix: str) -> str | None:
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    media_type, encoding = _BUILT_IN.guess_type(f"x{suffix}")
    if encoding:
        return {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}.get(encoding)
    return media_type


def _sniff(head: bytes, suffix: str, by_suffix: str | None) -> str | None:
    if not head:
        return None
    own = _by_own_signatures(head, suffix, by_suffix)
    if own:
        return own
    if not _has_known_signature(head):
        return None
    try:
        matches = puremagic.magic_string(head, f"x{suffix}" if suffix else None)
    except puremagic.PureError:
        return None
    trusted = [match for match in matches if match.confidence >= _TRUSTED_CONFIDENCE and match.mime_type]
    # For SVG, ZIP and OLE documents our own signatures are stricter.
    names = (_preferred_name(match.mime_type) for match in trusted)
    candidates = [name for name in names if name != _SVG and name not in _ZIP_OR_OLE_TYPES]
    if by_suffix in candidates:
        return by_suffix
    with_suffix = [_preferred_name(match.mime_type) for match in trusted if suffix and match.extension == suffix]
    plain = [name for name in _PLAIN_CONTAINERS if name in candidates]
    return next((name for name in (*with_suffix, *plain, *candidates) if name in candidates), None)


def _has_known_signature(head: bytes) -> bool:
    """Return whether ``head`` has any of the library's signatures.

    The library compares 1,437 of them one by one, which takes longer than everything else in storing a small file.
    Here each place of a signature is looked up once.
    """
    return any(head[start:end] in signatures for start, end, signatures in _SIGNATURES)


def _by_place(signatures: Iterable[puremagic.PureMagic]) -> list[tuple[int, int | None, frozenset[bytes]]]:
    """Group signatures by their start and end; those at the end of a file have a negative start."""
    places: dict[tuple[int, int | None], set[bytes]] = {}
    for signature in signatures:
        end = signature.offset + len(signature.byte_match)
        places.setdefault((signature.offset, end or None), set()).add(signature.byte_match)
    return [(start, end, frozenset(found)) for (start, end), found in places.items()]


_SIGNATURES = _by_place([*puremagic.magic_header_array, *puremagic.magic_footer_array])


def _by_own_signatures(head: bytes, suffix: str, by_suffix: str | None) -> str | None:
    """Return the type by the signatures that a table of magic numbers cannot express."""
    if _is_transport_stream(head):
        return "video/mp2t"
    if is_dv(head):
        return "video/x-dv"
    if is_zip(head):
        return zip_document_type(head, by_suffix)
    if is_svg(head):
        return _SVG
    return isobmff_type(head) or ogg_type(head) or ole_document_type(head, suffix) or raw_audio_type(head)


def _is_audiovisual(media_type: str) -> bool:
    return media_type in _IMAGE_TYPES or media_type in _AUDIO_TYPES or media_type.startswith("video/")


def _preferred_name(mime_type: str) -> str:
    media_type = normalize_media_type(mime_type)
    return _PREFERRED_NAMES.get(media_type, media_type)


def _is_transport_stream(head: bytes) -> bool:
    """Return whether it is MPEG-TS, which has no magic number, only a sync byte at the start of every packet.

    In M2TS, a timestamp precedes each packet. A recording may start in mid-packet; then more sync bytes must line up.
    """
    plain = head[: 4 * _TS_PACKET : _TS_PACKET]
    if b"GGGG" in (plain, head[4 : 4 * _M2TS_PACKET : _M2TS_PACKET]):
        return True
    if len(head) <= 9 * _TS_PACKET:
        return False
    start = head.find(b"G", 0, _TS_PACKET)
    while start >= 0:
        if head[start : start + 8 * _TS_PACKET : _TS_PACKET] == b"G" * 8:
            return True
        start = head.find(b"G", start + 1, _TS_PACKET)
    return False
