"""The WebVTT file that maps a video's sprite to the time line of a player."""

from collections.abc import Mapping

from pydantic import JsonValue

from metastore.features.media.playback.webvtt import timestamp


def sprite_cues(layout: Mapping[str, JsonValue], duration_ms: int | None, url: str) -> str:
    """Return WebVTT with one cue per tile of the sprite at ``url``.

    ``layout`` is ``models.Media.sprite``. The last cue ends with the video.
    """
    columns, count, width, height, interval = (
        _integer(layout, name) for name in ("columns", "count", "tileWidth", "tileHeight", "intervalMs")
    )
    duration = max(duration_ms or 0, (count - 1) * interval + 1)
    cues = ["WEBVTT\n"]
    for tile in range(count):
        row, column = divmod(tile, max(1, columns))
        start, end = tile * interval, duration if tile == count - 1 else (tile + 1) * interval
        region = f"{column * width},{row * height},{width},{height}"
        cues.append(f"\n{timestamp(start)} --> {timestamp(end)}\n{url}#xywh={region}\n")
    return "".join(cues)


def _integer(layout: Mapping[str, JsonValue], name: str) -> int:
    value = layout.get(name)
    return value if isinstance(value, int) else 0
