"""What a file is, judged by its first bytes.

What the client claims is the last thing to be believed. The bytes decide; where many kinds share a beginning (a ZIP
may be a document, an MP4 an audio file) the name's suffix chooses among the kinds that fit. Bytes that tell nothing
leave it to the suffix, then to the claim, as long as that is nothing a browser would run. A drawing (SVG) is called one
only when it is.

The type is a label. It never makes content active: the data plane serves all of it as an attachment, sandboxed.
"""

import mimetypes
import re

import puremagic

from metastore.features.files import signatures
from metastore.features.files.names import split_suffix

UNKNOWN = "application/octet-stream"
SNIFFED_BYTES = 4096
"""How much of a file's beginning is worth reading."""

_WELL_FORMED = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_ACTIVE = re.compile(r"html|xml|svg|script|xslt|pdf|flash")
_TRUSTED_CONFIDENCE = 0.3
"""A match of three bytes or more; shorter ones are found in any noise."""
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
"""What an ambiguous beginning is called when the suffix does not tell."""
_SVG, _PDF = "image/svg+xml", "application/pdf"
_PICTURES = frozenset(
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
_SOUNDS = frozenset(
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
_OFFICE = frozenset(
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
_PACKAGED = _OFFICE - {"application/rtf"}
_TRANSPORT_PACKET, _TIMED_PACKET = 188, 192
# The interpreter's own table alone: what the machine's administrator added would make answers differ by machine.
_BUILT_IN = mimetypes.MimeTypes()


def content_type_of(head: bytes, name: str, claimed: str) -> str:
    """The media type of a file of that ``name`` which begins with ``head`` (a few KiB), without parameters."""
    suffix = split_suffix(name)[1].lower()
    by_suffix = _by_suffix(suffix)
    sniffed = _sniffed(head, suffix, by_suffix)
    if sniffed:
        return sniffed
    if by_suffix and by_suffix != _SVG:
        return by_suffix
    kind = well_formed(claimed)
    return UNKNOWN if _ACTIVE.search(kind) else kind


def is_media(head: bytes, name: str) -> bool:
    """Whether these first bytes are those of something that is processed; names prove nothing.

    Films, sounds, pictures, drawings, PDF and office documents are; the last only where programs for them are, which
    ``ports.media_tools`` knows.
    """
    suffix = split_suffix(name)[1].lower()
    kind = _sniffed(head, suffix, _by_suffix(suffix)) or ""
    return _is_film_sound_or_picture(kind) or kind in (_SVG, _PDF) or kind in _OFFICE


def is_named_media(name: str) -> bool:
    """Whether the name is that of a film, a sound or a picture: one that cannot be read is damaged then."""
    return _is_film_sound_or_picture(_by_suffix(split_suffix(name)[1].lower()) or "")


def is_office(mime_type: str) -> bool:
    """Whether it is a document of an office program, which few programs can draw."""
    return mime_type in _OFFICE


def well_formed(claimed: str) -> str:
    """``claimed`` in lower case without parameters; ``application/octet-stream`` when it is no media type at all."""
    kind = claimed.partition(";")[0].strip().lower()
    return kind if _WELL_FORMED.fullmatch(kind) else UNKNOWN


def _by_suffix(suffix: str) -> str | None:
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    kind, encoding = _BUILT_IN.guess_type(f"x{suffix}")
    if encoding:
        return {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}.get(encoding)
    return kind


def _sniffed(head: bytes, suffix: str, by_suffix: str | None) -> str | None:
    if not head:
        return None
    told = _looked_at(head, suffix, by_suffix)
    if told:
        return told
    try:
        matches = puremagic.magic_string(head, f"x{suffix}" if suffix else None)
    except puremagic.PureError:
        return None
    trusted = [match for match in matches if match.confidence >= _TRUSTED_CONFIDENCE and match.mime_type]
    # What these are has been looked at closer.
    kinds = [kind for match in trusted if (kind := _kind(match.mime_type)) != _SVG and kind not in _PACKAGED]
    if by_suffix in kinds:
        return by_suffix
    fitting = [_kind(match.mime_type) for match in trusted if suffix and match.extension == suffix]
    plain = [kind for kind in _PLAIN_CONTAINERS if kind in kinds]
    return next((kind for kind in (*fitting, *plain, *kinds) if kind in kinds), None)


def _looked_at(head: bytes, suffix: str, by_suffix: str | None) -> str | None:
    """By signatures of our own."""
    if _is_transport_stream(head):
        return "video/mp2t"
    if signatures.is_digital_video(head):
        return "video/x-dv"
    if signatures.is_package(head):
        return signatures.document_in_package(head, by_suffix)
    if signatures.is_svg(head):
        return _SVG
    return (
        signatures.picture_or_sound_in_boxes(head)
        or signatures.in_ogg(head)
        or signatures.old_document(head, suffix)
        or signatures.bare_sound(head)
    )


def _is_film_sound_or_picture(kind: str) -> bool:
    return kind in _PICTURES or kind in _SOUNDS or kind.startswith("video/")


def _kind(mime_type: str) -> str:
    kind = well_formed(mime_type)
    return _PREFERRED_NAMES.get(kind, kind)


def _is_transport_stream(head: bytes) -> bool:
    """MPEG-TS has no magic number, only a sync byte in every packet, which on discs a time comes before.

    A recording may begin in the middle of a packet; then more of them have to be seen.
    """
    plain = head[: 4 * _TRANSPORT_PACKET : _TRANSPORT_PACKET]
    if b"GGGG" in (plain, head[4 : 4 * _TIMED_PACKET : _TIMED_PACKET]):
        return True
    rows = (head[start : start + 8 * _TRANSPORT_PACKET : _TRANSPORT_PACKET] for start in range(_TRANSPORT_PACKET))
    return len(head) > 9 * _TRANSPORT_PACKET and b"G" * 8 in rows
