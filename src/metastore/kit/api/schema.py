"""Base classes of requests and responses: camelCase in JSON, snake_case in Python."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel

from metastore.kit.clock import rfc3339
from metastore.kit.problems.reason_codes import ReasonCode, known_reason

Timestamp = Annotated[datetime, PlainSerializer(rfc3339, return_type=str, when_used="json")]
"""A timestamp, serialized as RFC 3339 in UTC."""

Reason = Annotated[ReasonCode | None, BeforeValidator(known_reason)]
"""The code of a failure; ``None`` for none, and for a code stored by a newer version."""


class Schema(BaseModel):
    """Base of responses. Fields are camelCase in JSON."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True, frozen=True)


class Input(BaseModel):
    """Base of request bodies. Wrong types are rejected, never coerced. Unknown fields are ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, strict=True, frozen=True, str_max_length=65536
    )
