"""API shapes of the audit trail."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from metastore.kit.api.paging import Limit
from metastore.kit.api.schema import Schema, Timestamp

Exactly = Annotated[str, Field(max_length=100, pattern=r"^[!-~]+$")]


class AuditLogOut(Schema):
    """Who (``actor_id``) did what (``action``) to what (``resource``), from where, and when."""

    id: str
    event_id: str
    actor_id: str | None
    action: str
    resource: str
    address: str | None
    user_agent: str | None
    request_id: str | None
    details: dict[str, JsonValue]
    occurred_at: Timestamp


class AuditQuery(BaseModel):
    """The filter: exact matches, and the period starting at ``from`` and ending before ``to``."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    actor: Exactly | None = Field(default=None, description="The ID of a user.")
    action: Exactly | None = Field(default=None, description="The type of the event: `file.uploaded`.")
    resource: Exactly | None = Field(default=None, description="What the action was done to: `file:<id>`.")
    since: AwareDatetime | None = Field(default=None, alias="from")
    until: AwareDatetime | None = Field(default=None, alias="to")
    limit: Limit = 50
    cursor: Annotated[str, Field(max_length=1000)] | None = None
