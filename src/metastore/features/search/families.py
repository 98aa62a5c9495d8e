"""What kind of thing a file is to its owner, by its name first and its media type second."""

_EXTENSIONS = {
    "video": "mp4 mkv mov webm avi m4v",
    "image": "jpg jpeg png gif webp avif heic svg bmp tif tiff",
    "audio": "mp3 wav flac ogg m4a aac opus",
    "pdf": "pdf",
    "archive": "zip gz tar 7z rar zst xz bz2",
    "table": "csv xls xlsx ods tsv",
    "code": "js ts tsx py rs go c h cpp java html css json xml yml yaml sh sql",
    "text": "txt md rtf doc docx odt log ppt pptx odp",
}
_BY_EXTENSION = {extension: family for family, all_of in _EXTENSIONS.items() for extension in all_of.split()}
_MAIN_TYPES = frozenset({"video", "image", "audio", "text"})

OTHER = "other"
GROUPS: dict[str, tuple[str, ...]] = {
    **{family: (family,) for family in (*_EXTENSIONS, OTHER)},
    "document": ("pdf", "table", "text"),
}
"""What can be asked for, and the families that belong to it."""


def family_of(name: str, mime_type: str) -> str:
    """The family of a file; ``other`` when nothing tells."""
    known = _BY_EXTENSION.get(name.rpartition(".")[2].lower())
    if known is not None:
        return known
    if mime_type == "application/pdf":
        return "pdf"
    main = mime_type.partition("/")[0]
    return main if main in _MAIN_TYPES else OTHER
