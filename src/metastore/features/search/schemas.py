"""API shapes of search."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from metastore.features.files.schemas import FileOut, FolderOut
from metastore.kit.paging import Limit
from metastore.kit.period import DayOrMoment
from metastore.kit.schema import Schema

_Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
_NAMES = "`file`, `folder`, `image`, `video`, `audio`, `document`, `pdf`, `table`, `text`, `code`, `archive`, `other`"


class FoundFile(FileOut):
    """A file that was found; ``highlight`` is its name as HTML, with what matched in ``mark`` elements."""

    highlight: str


class FoundFolder(FolderOut):
    """A folder that was found; ``highlight`` is its name as HTML, with what matched in ``mark`` elements."""

    highlight: str


class SearchResults(Schema):
    """One page of what was found, latest change first."""

    items: Sequence[Annotated[FoundFile | FoundFolder, Field(discriminator="kind")]]
    next_cursor: str | None = None


class SearchQuery(BaseModel):
    """What to look for: every word of ``q`` in the name, of that type, changed in that period."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    q: _Text = Field(default="", description="Words that the name has, in any order; case and accents aside.")
    type: _Text | None = Field(default=None, description=f"{_NAMES}, or a media type: `image/png`, `image/*`.")
    since: DayOrMoment | None = Field(default=None, alias="from", description="Changed then or later.")
    until: DayOrMoment | None = Field(default=None, alias="to", description="Changed before then, or on that day.")
    limit: Limit = 50
    cursor: Annotated[str, Field(max_length=1000)] | None = None
