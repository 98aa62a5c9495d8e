"""The rules of search.

The index is told *that* something happened to a node and looks up *how it is now*, one owner at a time. So it does not
matter in which order or how often it is told: whoever comes last saw the latest, and telling it again changes nothing.
What is found is shown from the files themselves, never from the index: a document that is behind its file for a moment
can hide it, but never show what is renamed, thrown away or somebody else's.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import JsonValue

from metastore.features.files import lookup
from metastore.features.files.addresses import Addresses
from metastore.features.files.lookup import NodeState
from metastore.features.search import repository
from metastore.features.search.families import GROUPS, family_of
from metastore.features.search.folding import fold, highlighted, terms_of
from metastore.features.search.repository import Entry, Position, Wanted
from metastore.features.search.schemas import SearchQuery
from metastore.kit.database import Transaction
from metastore.kit.ids import is_id
from metastore.kit.paging import decode_cursor, encode_cursor, invalid_cursor
from metastore.kit.period import beginning, ending
from metastore.kit.problem import invalid

AT_ONCE = 500
"""Nodes refreshed in one transaction: on SQLite all other writers wait for its end."""
_ROUNDS = 5
"""How often a page is filled up when the index is behind and found what is no longer there."""

Json = dict[str, JsonValue]


class SearchService:
    """Keeps the index and looks things up in it; what is found comes with its pictures and streams by ``addresses``."""

    def __init__(self, addresses: Addresses | None = None) -> None:
        self._addresses = addresses

    async def refresh(self, tx: Transaction, owner_id: str, node_ids: Sequence[str]) -> None:
        """Bring the documents of some nodes up to date; at most ``AT_ONCE``, as others wait meanwhile."""
        await repository.lock(tx, owner_id)
        await _settle(tx, node_ids, await lookup.states_of(tx, node_ids))

    async def tree_of(self, tx: Transaction, folder_id: str) -> Sequence[str]:
        """What is to be refreshed when a whole folder changed: its id, and those of all that lies below it now."""
        return sorted({folder_id, *await lookup.ids_below(tx, folder_id)})

    async def page(self, tx: Transaction, owner_id: str, query: SearchQuery) -> Json:
        """One page of what was found, latest change first; see ``SearchResults``.

        Raises:
            Problem: 422 ``invalid-cursor``, or for a type that is none.
        """
        after = _position_in(query.cursor) if query.cursor else None
        terms = terms_of(query.q)
        wanted = _wanted(query, terms)
        items: list[JsonValue] = []
        more = False
        for _ in range(_ROUNDS):
            missing = query.limit - len(items)
            found = await repository.latest(tx, owner_id, wanted, after, missing + 1)
            more, found = len(found) > missing, found[:missing]
            shown = await lookup.shown(tx, owner_id, [position.node_id for position in found], self._addresses)
            items += [_marked(shown[position.node_id], terms) for position in found if position.node_id in shown]
            after = found[-1] if found else after
            if not more or len(items) == query.limit:
                break
        return {"items": items, "nextCursor": _cursor_after(after) if more and after else None}


async def _settle(tx: Transaction, told_of: Sequence[str], states: Sequence[NodeState]) -> None:
    listed = {state.id for state in states if state.listed}
    await repository.remove(tx, sorted({*told_of, *(state.id for state in states)} - listed))
    await repository.save(tx, [_entry(state) for state in states if state.listed])


def _entry(state: NodeState) -> Entry:
    return {
        "node_id": state.id,
        "owner_id": state.owner_id,
        "kind": state.kind,
        "family": "" if state.kind == "folder" else family_of(state.name, state.mime_type),
        "mime_type": state.mime_type,
        "text": fold(state.name),
        "updated_at": state.updated_at,
    }


def _marked(item: Json, terms: Sequence[str]) -> Json:
    return {**item, "highlight": highlighted(str(item["name"]), terms)}


def _wanted(query: SearchQuery, terms: Sequence[str]) -> Wanted:
    kind, families, mime_type = _type_in(query.type) if query.type else (None, (), None)
    return Wanted(
        terms=terms,
        kind=kind,
        families=families,
        mime_type=mime_type,
        since=beginning(query.since) if query.since else None,
        until=ending(query.until) if query.until else None,
    )


def _type_in(wanted: str) -> tuple[str | None, Sequence[str], str | None]:
    wanted = wanted.lower()
    if wanted in ("file", "folder"):
        return wanted, (), None
    if wanted in GROUPS:
        return None, GROUPS[wanted], None
    if "/" in wanted:
        return None, (), wanted.removesuffix("*")
    raise invalid("type", f"Must be one of file, folder, {', '.join(sorted(GROUPS))}, or a media type.")


def _cursor_after(position: Position) -> str:
    return encode_cursor([position.updated_at.isoformat(), position.node_id])


def _position_in(cursor: str) -> Position:
    moment, node_id = decode_cursor(cursor, 2)
    try:
        updated_at = datetime.fromisoformat(str(moment))
    except ValueError:
        updated_at = None
    if updated_at is None or updated_at.tzinfo is None or not isinstance(node_id, str) or not is_id(node_id):
        raise invalid_cursor()
    return Position(updated_at, node_id)
