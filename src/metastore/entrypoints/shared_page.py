"""The HTML of a share link's page: its title and description, for browsers' tabs and for chat programs.

Chat programs, crawlers and mail scanners request the page like browsers do. It therefore tells nothing about links with
a password, and requesting it never counts as an access.
"""

from html import escape
from unicodedata import category

from metastore.features.sharing.public.schemas import SharedLinkOut

PLACE = "<title>MetaStore</title>"
"""What ``with_head`` replaces in the built page."""
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LONGEST = 300
_SITE = "MetaStore"
_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")


def with_head(page: str, link: SharedLinkOut | None) -> str:
    """Return ``page`` with the title and the description of ``link``; with general ones for None."""
    title, description = _SITE, "Something was shared with you."
    if link is not None and link.name is not None:
        title, description = _plain(link.name), _description(link)
    elif link is not None:
        description = "Something was shared with you. It opens with a password."
    return page.replace(PLACE, _head(title, description), 1)


def _head(title: str, description: str) -> str:
    tags = {"og:site_name": _SITE, "og:type": "website", "og:title": title, "og:description": description}
    return "\n    ".join(
        [
            f"<title>{escape(title if title == _SITE else f'{title} · {_SITE}')}</title>",
            f'<meta name="description" content="{escape(description)}" />',
            *(f'<meta property="{name}" content="{escape(content)}" />' for name, content in tags.items()),
            '<meta name="twitter:card" content="summary" />',
        ]
    )


def _description(link: SharedLinkOut) -> str:
    what = "Folder" if link.size is None else _size(link.size)
    return f"{what} · Shared by {_plain(link.owner_name)}" if link.owner_name else what


def _plain(text: str) -> str:
    """Return a name on one line, without control characters and without those that change the direction of text."""
    spaced = (" " if category(char) in ("Cc", "Zl", "Zp") else char for char in text if char not in _DIRECTIONS)
    return " ".join("".join(spaced).split())[:_LONGEST]


def _size(size: int) -> str:
    value = float(size)
    for unit in _UNITS:
        if value < 1024 or unit == _UNITS[-1]:
            break
        value /= 1024
    return f"{value:.0f} {unit}" if unit == "bytes" or value >= 100 else f"{value:.1f} {unit}"
