"""API shapes of analytics."""

from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from metastore.kit.api.period import DayOrMoment
from metastore.kit.api.schema import Schema


class Amounts(Schema):
    """Counters of events and bytes."""

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
    """The counters of a day in UTC; each active user is counted once."""

    day: date
    active_users: int = 0


class AnalyticsOut(Schema):
    """Every day of a period, both ends included, and the totals."""

    first_day: date = Field(serialization_alias="from")
    last_day: date = Field(serialization_alias="to")
    days: Sequence[DayOut]
    totals: Amounts


class AnalyticsQuery(BaseModel):
    """The period: at most 366 days; by default the last 30."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    since: DayOrMoment | None = Field(default=None, alias="from")
    until: DayOrMoment | None = Field(default=None, alias="to")
