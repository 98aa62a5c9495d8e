"""Categories of files that searches can be limited to, such as ``image`` or ``document``."""

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
_BY_EXTENSION = {extension: category for category, names in _EXTENSIONS.items() for extension in names.split()}
_MAIN_TYPES = frozenset({"video", "image", "audio", "text"})

OTHER = "other"
GROUPS: dict[str, tuple[str, ...]] = {
    **{category: (category,) for category in (*_EXTENSIONS, OTHER)},
    "document": ("pdf", "table", "text"),
}
"""The values of the search parameter ``type``, with the categories each covers."""


def category_of(name: str, mime_type: str) -> str:
    """Return the category of a file by its extension, else by its media type; ``other`` if neither is known."""
    by_extension = _BY_EXTENSION.get(name.rpartition(".")[2].lower())
    if by_extension is not None:
        return by_extension
    if mime_type == "application/pdf":
        return "pdf"
    main_type = mime_type.partition("/")[0]
    return main_type if main_type in _MAIN_TYPES else OTHER
