"""Excerpts of text files, and the languages of source code."""

from metastore.features.files.tree.names import split_suffix
from metastore.features.media.playback.schemas import ExcerptOut
from metastore.features.media.playback.text_decoding import decode_text

MAX_SIZE = 256 * 2**10
"""The length of an excerpt in bytes."""

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
UNSPECIFIC_TYPES = frozenset({"application/octet-stream", "application/x-subrip", ""})
"""Media types of files that may or may not be text."""


def language_of(name: str, mime_type: str) -> str | None:
    """Return a syntax highlighter's name for the language of a file; ``None`` if it is not source code."""
    lowered = name.lower()
    suffix = split_suffix(lowered)[1]
    return _BY_NAME.get(lowered) or _BY_SUFFIX.get(suffix) or _BY_TYPE.get(mime_type)


def is_markdown(name: str, mime_type: str) -> bool:
    """Return whether a file is Markdown by its name or media type."""
    return mime_type == "text/markdown" or split_suffix(name.lower())[1] in _MARKDOWN


def excerpt(data: bytes, size: int, language: str | None) -> ExcerptOut | None:
    """Return ``data``, the beginning of a file of ``size`` bytes, as an excerpt; ``None`` if it is not text."""
    truncated = size > len(data)
    text = decode_text(data, truncated=truncated)
    return None if text is None else ExcerptOut(text=text, truncated=truncated, language=language)
