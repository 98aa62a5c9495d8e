"""The beginnings of texts: which files are text at all, and what language code is in."""

from metastore.features.files.names import split_suffix
from metastore.features.media.decoding import decoded
from metastore.features.media.schemas import ExcerptOut

LARGEST = 256 * 2**10
"""Bytes that are read."""

_LANGUAGES = {
    "bash": ".bash .sh .zsh",
    "c": ".c .h",
    "cpp": ".cc .cpp .cxx .hh .hpp .hxx",
    "csharp": ".cs",
    "css": ".css",
    "dart": ".dart",
    "diff": ".diff .patch",
    "dockerfile": ".dockerfile",
    "elixir": ".ex .exs",
    "go": ".go",
    "graphql": ".gql .graphql",
    "haskell": ".hs",
    "ini": ".cfg .conf .ini .properties .toml",
    "java": ".java",
    "javascript": ".cjs .js .jsx .mjs",
    "json": ".geojson .ipynb .json .jsonl .webmanifest",
    "kotlin": ".kt .kts",
    "less": ".less",
    "lua": ".lua",
    "makefile": ".mk",
    "objectivec": ".m .mm",
    "perl": ".pl .pm",
    "php": ".php",
    "powershell": ".ps1 .psm1",
    "python": ".py .pyi",
    "r": ".r",
    "ruby": ".rb",
    "rust": ".rs",
    "scala": ".scala",
    "scss": ".sass .scss",
    "sql": ".sql",
    "swift": ".swift",
    "typescript": ".cts .mts .ts .tsx",
    "vbnet": ".vb",
    "xml": ".htm .html .plist .rss .svelte .svg .vue .wsdl .xhtml .xml .xsd .xsl .xslt",
    "yaml": ".yaml .yml",
}
_BY_SUFFIX = {suffix: language for language, suffixes in _LANGUAGES.items() for suffix in suffixes.split()}
_BY_NAME = {
    "cmakelists.txt": "cmake",
    "dockerfile": "dockerfile",
    "gemfile": "ruby",
    "makefile": "makefile",
    "rakefile": "ruby",
}
_BY_TYPE = {
    "application/ecmascript": "javascript",
    "application/javascript": "javascript",
    "application/json": "json",
    "application/sql": "sql",
    "application/x-sh": "bash",
    "application/xhtml+xml": "xml",
    "application/xml": "xml",
    "text/css": "css",
    "text/html": "xml",
    "text/javascript": "javascript",
    "text/x-python": "python",
    "text/xml": "xml",
}
_MARKDOWN = frozenset({".markdown", ".md", ".mdown", ".mkd"})
UNKNOWN_TYPES = frozenset({"application/octet-stream", "application/x-subrip", ""})
"""Types that say nothing of what is in the file."""


def language_of(name: str, mime_type: str) -> str | None:
    """What a highlighter would call the language of that code; ``None`` when it is no code."""
    lowered = name.lower()
    suffix = split_suffix(lowered)[1]
    return _BY_NAME.get(lowered) or _BY_SUFFIX.get(suffix) or _BY_TYPE.get(mime_type)


def is_markdown(name: str, mime_type: str) -> bool:
    """Whether it is meant to be Markdown."""
    return mime_type == "text/markdown" or split_suffix(name.lower())[1] in _MARKDOWN


def excerpt(data: bytes, size: int, language: str | None) -> ExcerptOut | None:
    """What ``data``, the beginning of a file of ``size`` bytes, says; ``None`` when it is no text."""
    truncated = size > len(data)
    text = decoded(data, cut=truncated)
    return None if text is None else ExcerptOut(text=text, truncated=truncated, language=language)
