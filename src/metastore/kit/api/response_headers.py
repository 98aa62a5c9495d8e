"""Response headers of downloads, safe for any file name and any declared media type."""

import re
from unicodedata import category
from urllib.parse import quote

_ATTR_CHAR = "!#$&+-.^_`|~"
"""Characters other than letters and digits that RFC 8187 allows unencoded in an extended value."""

_UNSAFE_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories of control characters, lone surrogates, and line and paragraph separators."""

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(; ?[ -~]{1,127})?")


def safe_media_type(declared: str) -> str:
    """Return ``declared`` if it is a well-formed media type (RFC 9110 §8.3.1), else ``application/octet-stream``."""
    return declared if _MEDIA_TYPE.fullmatch(declared) else "application/octet-stream"


def content_disposition(filename: str, *, inline: bool = False) -> str:
    """Return a ``Content-Disposition`` header value (RFC 6266) in ASCII.

    It has a ``filename`` and, if that cannot represent the name, a ``filename*`` (RFC 8187). Control characters are
    removed because they could end the header. In ``filename``, ``_`` replaces characters outside ASCII, those that a
    quoted string cannot contain, and ``%``, which some clients would decode.
    """
    kind = "inline" if inline else "attachment"
    name = "".join(char for char in filename if category(char) not in _UNSAFE_CATEGORIES)
    if not name:
        return kind
    fallback = "".join(char if " " <= char <= "~" and char not in '"\\%' else "_" for char in name)
    plain = f'{kind}; filename="{fallback}"'
    return plain if fallback == name else f"{plain}; filename*=UTF-8''{quote(name, safe=_ATTR_CHAR)}"
