"""Small pictures along a film's time line, as players take them: WebVTT whose cues name pieces of one picture."""

from collections.abc import Mapping

from pydantic import JsonValue

from metastore.features.media.cue_times import timestamp


def hover_cues(layout: Mapping[str, JsonValue], duration_ms: int | None, url: str) -> str:
    """The cues for a picture at ``url`` that is laid out so (``models.Media.sprite``); the last ends with the film."""
    columns, count, width, height, interval = (
        _number(layout, name) for name in ("columns", "count", "tileWidth", "tileHeight", "intervalMs")
    )
    end = max(duration_ms or 0, (count - 1) * interval + 1)
    cues = ["WEBVTT\n"]
    for at in range(count):
        row, column = divmod(at, max(1, columns))
        begins, ends = at * interval, end if at == count - 1 else (at + 1) * interval
        piece = f"{column * width},{row * height},{width},{height}"
        cues.append(f"\n{timestamp(begins)} --> {timestamp(ends)}\n{url}#xywh={piece}\n")
    return "".join(cues)


def _number(layout: Mapping[str, JsonValue], name: str) -> int:
    value = layout.get(name)
    return value if isinstance(value, int) else 0
