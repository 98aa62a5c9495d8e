"""API shapes of analytics."""

from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from metastore.kit.period import DayOrMoment
from metastore.kit.schema import Schema


class Amounts(Schema):
    """What happened: how often, by how many users, how many bytes."""

    uploads: int = 0
    uploaded_bytes: int = 0
    downloads: int = 0
    downloaded_bytes: int = 0
    deletions: int = 0
    deleted_bytes: int = 0
    sign_ins: int = 0
    refused_sign_ins: int = 0
    new_users: int = 0


class DayOut(Amounts):
    """A day of UTC; ``active_users`` did something on it, each counted once."""

    day: date
    active_users: int = 0


class AnalyticsOut(Schema):
    """Every day of a period, both ends included, and what they come to together."""

    first_day: date = Field(serialization_alias="from")
    last_day: date = Field(serialization_alias="to")
    days: Sequence[DayOut]
    totals: Amounts


class AnalyticsQuery(BaseModel):
    """The period: the last 30 days unless named; at most 366."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    since: DayOrMoment | None = Field(default=None, alias="from")
    until: DayOrMoment | None = Field(default=None, alias="to")
