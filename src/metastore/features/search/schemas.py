"""API shapes of search."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from metastore.features.files.schemas import FileOut, FolderOut
from metastore.kit.api.paging import Limit
from metastore.kit.api.period import DayOrMoment
from metastore.kit.api.schema import Schema

_Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
_NAMES = "`file`, `folder`, `image`, `video`, `audio`, `document`, `pdf`, `table`, `text`, `code`, `archive`, `other`"


class FoundFile(FileOut):
    """A file that matches; ``highlight`` is its name as HTML with the matches in ``mark`` elements."""

    highlight: str


class FoundFolder(FolderOut):
    """A folder that matches; ``highlight`` is its name as HTML with the matches in ``mark`` elements."""

    highlight: str


class SearchResults(Schema):
    """A page of search results, latest change first."""

    items: Sequence[Annotated[FoundFile | FoundFolder, Field(discriminator="kind")]]
    next_cursor: str | None = None


class SearchQuery(BaseModel):
    """The search: every word of ``q`` must occur in the name; type and period of the last change narrow it down."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    q: _Text = Field(default="", description="Words that occur in the name, in any order, ignoring case and accents.")
    type: _Text | None = Field(default=None, description=f"{_NAMES}, or a media type: `image/png`, `image/*`.")
    since: DayOrMoment | None = Field(default=None, alias="from", description="Changed at this time or later.")
    until: DayOrMoment | None = Field(default=None, alias="to", description="Changed before this time, or on this day.")
    limit: Limit = 50
    cursor: Annotated[str, Field(max_length=1000)] | None = None
