"""What a probe found, as it is kept in a row."""

from typing import TypeAlias, cast

from pydantic import JsonValue, TypeAdapter, ValidationError

from metastore.features.media.models import Media
from metastore.ports.media_tools import MediaFacts

_Json: TypeAlias = dict[str, JsonValue]
_FACTS = TypeAdapter(MediaFacts)


def as_json(facts: MediaFacts) -> _Json:
    """For the column."""
    return cast("_Json", _FACTS.dump_python(facts, mode="json"))


def facts_of(media: Media) -> MediaFacts | None:
    """What is known of a file; ``None`` when it was looked into by a version that kept less."""
    try:
        return _FACTS.validate_python(media.facts) if media.facts is not None else None
    except ValidationError:
        return None
