"""What a file is, judged by its first bytes.

What the client claims is the last thing to be believed. The bytes decide; where many kinds share a beginning (a ZIP
may be a document, an MP4 an audio file) the name's suffix chooses among the kinds that fit. Bytes that tell nothing
leave it to the suffix, then to the claim, as long as that is nothing a browser would run.

The type is a label. It never makes content active: the data plane serves all of it as an attachment, sandboxed.
"""

import mimetypes
import re

import puremagic

from metastore.features.files.names import split_suffix

UNKNOWN = "application/octet-stream"
SNIFFED_BYTES = 4096
"""How much of a file's beginning is worth reading."""

_WELL_FORMED = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_ACTIVE = re.compile(r"html|xml|svg|script|xslt|pdf|flash")
_TRUSTED_CONFIDENCE = 0.3
"""A match of three bytes or more; shorter ones are found in any noise."""
_BY_SUFFIX = {
    ".avif": "image/avif",
    ".flac": "audio/flac",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".m4a": "audio/mp4",
    ".m4v": "video/mp4",
    ".md": "text/markdown",
    ".mkv": "video/x-matroska",
    ".mov": "video/quicktime",
    ".mp4": "video/mp4",
    ".ogg": "audio/ogg",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webp": "image/webp",
    ".7z": "application/x-7z-compressed",
}
_PREFERRED_NAMES = {
    "application/x-gzip": "application/gzip",
    "application/x-matroska": "video/x-matroska",
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
    "image/x-ms-bmp": "image/bmp",
    "video/avi": "video/x-msvideo",
}
_PLAIN_CONTAINERS = ("application/zip", "application/ogg", "video/mp4")
"""What an ambiguous beginning is called when the suffix does not tell."""
_PICTURES = frozenset(
    {"image/jpeg", "image/png", "image/gif", "image/webp", "image/tiff", "image/avif", "image/heic", "image/heif"}
)
"""What small pictures are made of. Not SVG: it is a program, and shows itself."""
_TRANSPORT_PACKET = 188
# The interpreter's own table alone: what the machine's administrator added would make answers differ by machine.
_BUILT_IN = mimetypes.MimeTypes()


def content_type_of(head: bytes, name: str, claimed: str) -> str:
    """The media type of a file of that ``name`` which begins with ``head`` (a few KiB), without parameters."""
    suffix = split_suffix(name)[1].lower()
    by_suffix = _by_suffix(suffix)
    sniffed = _sniffed(head, suffix, by_suffix)
    if sniffed:
        return sniffed
    if by_suffix:
        return by_suffix
    kind = well_formed(claimed)
    return UNKNOWN if _ACTIVE.search(kind) else kind


def is_media(head: bytes, name: str) -> bool:
    """Whether these first bytes are those of a film or a picture that can be looked into; names prove nothing."""
    suffix = split_suffix(name)[1].lower()
    kind = _sniffed(head, suffix, _by_suffix(suffix)) or ""
    return kind in _PICTURES or kind.startswith("video/")


def is_named_media(name: str) -> bool:
    """Whether the name is that of a film or a picture."""
    kind = _by_suffix(split_suffix(name)[1].lower()) or ""
    return kind in _PICTURES or kind.startswith("video/")


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
    if _is_transport_stream(head):
        return "video/mp2t"
    try:
        matches = puremagic.magic_string(head, f"x{suffix}" if suffix else None)
    except puremagic.PureError:
        return None
    trusted = [match for match in matches if match.confidence >= _TRUSTED_CONFIDENCE and match.mime_type]
    kinds = [_kind(match.mime_type) for match in trusted]
    if by_suffix in kinds:
        return by_suffix
    fitting = [_kind(match.mime_type) for match in trusted if suffix and match.extension == suffix]
    plain = [kind for kind in _PLAIN_CONTAINERS if kind in kinds]
    return next(iter([*fitting, *plain, *kinds]), None)


def _kind(mime_type: str) -> str:
    kind = well_formed(mime_type)
    return _PREFERRED_NAMES.get(kind, kind)


def _is_transport_stream(head: bytes) -> bool:
    """MPEG-TS has no magic number, only a sync byte at the start of every packet."""
    return head[: 4 * _TRANSPORT_PACKET : _TRANSPORT_PACKET] == b"GGGG"
