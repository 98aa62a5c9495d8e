"""The object keys of everything that is derived from a file.

All of them start with the object key of the file itself. Segments are stored before their rows are written, but never
more than ``AHEAD`` objects before: ``rendition_keys`` therefore covers every object of a rendition, even if the worker
was killed between an object and its row. Nothing is ever found by listing the store.
"""

AHEAD = 64
"""How many objects may be stored, or be on their way into the store, without a row."""


def thumbnail_key(prefix: str) -> str:
    """Return the key of the thumbnail (256 pixels)."""
    return f"{prefix}/thumbnail.webp"


def preview_key(prefix: str) -> str:
    """Return the key of the preview image (1024 pixels)."""
    return f"{prefix}/preview.webp"


def sprite_key(prefix: str) -> str:
    """Return the key of a video's sprite."""
    return f"{prefix}/sprite.webp"


def thumbnail_keys(prefix: str) -> list[str]:
    """Return all keys that one attempt of the thumbnail step may have written below ``prefix``."""
    return [thumbnail_key(prefix), preview_key(prefix), sprite_key(prefix)]


def init_key(key_prefix: str) -> str:
    """Return the key of a rendition's init segment."""
    return f"{key_prefix}/init.mp4"


def segment_key(key_prefix: str, number: int) -> str:
    """Return the key of a rendition's segment."""
    return f"{key_prefix}/{number:06d}.m4s"


def rendition_keys(key_prefix: str, count: int) -> list[str]:
    """Return every key that a rendition with ``count`` segment rows may have an object under."""
    return [init_key(key_prefix), *(segment_key(key_prefix, number) for number in range(count + AHEAD))]


def unrecorded_keys(key_prefix: str, count: int) -> list[str]:
    """Return those of ``rendition_keys`` that no row refers to.

    They include the init segment if there is no segment row.
    """
    ahead = [segment_key(key_prefix, number) for number in range(count, count + AHEAD)]
    return ahead if count else [init_key(key_prefix), *ahead]
