"""The headers that a presigned GET URL fixes, safe for any file name and any declared type."""

import re
from unicodedata import category
from urllib.parse import quote

_ATTR_CHAR = "!#$&+-.^_`|~"
"""What RFC 8187 leaves as it is in an extended value, besides letters and digits."""

_NEVER = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories of controls, lone surrogates and line separators."""

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(; ?[ -~]{1,127})?")


def safe_media_type(declared: str) -> str:
    """``declared`` when it has the form of a media type (RFC 9110 §8.3.1), else ``application/octet-stream``."""
    return declared if _MEDIA_TYPE.fullmatch(declared) else "application/octet-stream"


def content_disposition(filename: str, *, inline: bool = False) -> str:
    """``Content-Disposition`` (RFC 6266), in ASCII: ``filename`` for old clients, ``filename*`` for the name as it is.

    Control characters, which no file name needs and which could end the header, are left out; in the fallback,
    ``_`` stands for what ASCII or a quoted string cannot carry, and for ``%``, which some clients would decode.
    """
    kind = "inline" if inline else "attachment"
    name = "".join(char for char in filename if category(char) not in _NEVER)
    if not name:
        return kind
    fallback = "".join(char if " " <= char <= "~" and char not in '"\\%' else "_" for char in name)
    plain = f'{kind}; filename="{fallback}"'
    return plain if fallback == name else f"{plain}; filename*=UTF-8''{quote(name, safe=_ATTR_CHAR)}"
