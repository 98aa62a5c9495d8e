"""Convert probe results to and from the JSON column that keeps them."""

from typing import TypeAlias, cast

from pydantic import JsonValue, TypeAdapter, ValidationError

from metastore.features.media.models import Media
from metastore.ports.media_tools import ProbeResult

_Json: TypeAlias = dict[str, JsonValue]
_RESULT = TypeAdapter(ProbeResult)


def dump_result(result: ProbeResult) -> _Json:
    """Return a probe result as JSON."""
    return cast("_Json", _RESULT.dump_python(result, mode="json"))


def load_result(media: Media) -> ProbeResult | None:
    """Return the probe result of a file; ``None`` if a version that stored less probed it."""
    try:
        return _RESULT.validate_python(media.probe_result) if media.probe_result is not None else None
    except ValidationError:
        return None
