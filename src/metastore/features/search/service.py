"""The search service: updating and querying the index.

Events only say *which* node changed; its current state is read from the files feature, while its owner's documents are
locked. Events may therefore arrive in any order and more than once. Search results are also read from the files
feature, not from the index: an outdated document can hide a file, but can never reveal one that was renamed, trashed or
given to another owner.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from pydantic import JsonValue

from metastore.features.auth.schemas import Caller
from metastore.features.files.listing import node_lookup
from metastore.features.files.listing.node_lookup import NodeState
from metastore.features.files.representation.node_urls import NodeUrlResolver
from metastore.features.search import repository
from metastore.features.search.categories import GROUPS, category_of
from metastore.features.search.repository import Entry, Position, SearchFilter
from metastore.features.search.schemas import SearchQuery
from metastore.features.search.text_normalization import highlight, normalize_text, query_terms
from metastore.kit.api.paging import decode_cursor, encode_cursor, invalid_cursor
from metastore.kit.api.period import beginning, ending
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.ids import is_id
from metastore.kit.problems.problem import invalid

BATCH_SIZE = 500
"""Nodes refreshed per transaction. On SQLite, all other writers wait for it."""
_MAX_QUERIES = 5
"""How often the index is queried for one page if it is outdated and some results no longer exist."""

Json = dict[str, JsonValue]


class SearchService:
    """Updates and queries the index; ``urls`` resolves the thumbnail and stream URLs of results."""

    def __init__(self, urls: NodeUrlResolver | None = None) -> None:
        self._urls = urls

    async def refresh(self, tx: Transaction, owner_id: str, node_ids: Sequence[str]) -> None:
        """Update the documents of at most ``BATCH_SIZE`` nodes; other writers may wait meanwhile."""
        await self.refresh_several(tx, {owner_id: node_ids})

    async def refresh_several(self, tx: Transaction, nodes: Mapping[str, Collection[str]]) -> None:
        """Do the same for the nodes of several owners, at most ``BATCH_SIZE`` in all."""
        # In one order everywhere, so that two transactions with the same owners do not wait for each other.
        for owner_id in sorted(nodes):
            await repository.lock(tx, owner_id)
        node_ids = sorted({node_id for owned in nodes.values() for node_id in owned})
        await _update_documents(tx, node_ids, await node_lookup.node_states(tx, node_ids))

    async def subtree_ids(self, tx: Transaction, folder_id: str) -> Sequence[str]:
        """Return the IDs of a folder and of everything below it, to be refreshed after the folder changed."""
        return sorted({folder_id, *await node_lookup.descendant_ids(tx, folder_id)})

    async def page(self, tx: Transaction, caller: Caller, query: SearchQuery) -> Json:
        """Return a page of results, latest change first; see ``SearchResults``.

        Raises:
            Problem: 422 ``invalid-cursor``, or if ``type`` is unknown.
        """
        after = _position_from_cursor(query.cursor) if query.cursor else None
        terms = query_terms(query.q)
        criteria = _filter(query, terms)
        items: list[JsonValue] = []
        more = False
        for _ in range(_MAX_QUERIES):
            missing = query.limit - len(items)
            found = await repository.latest(tx, caller.id, criteria, after, missing + 1)
            more, found = len(found) > missing, found[:missing]
            nodes = await node_lookup.nodes_as_json(tx, caller, [position.node_id for position in found], self._urls)
            items += [_highlighted(nodes[position.node_id], terms) for position in found if position.node_id in nodes]
            after = found[-1] if found else after
            if not more or len(items) == query.limit:
                break
        return {"items": items, "nextCursor": _cursor_after(after) if more and after else None}


async def _update_documents(tx: Transaction, node_ids: Sequence[str], states: Sequence[NodeState]) -> None:
    listed = {state.id for state in states if state.listed}
    await repository.remove(tx, sorted({*node_ids, *(state.id for state in states)} - listed))
    await repository.save(tx, [_entry(state) for state in states if state.listed])


def _entry(state: NodeState) -> Entry:
    return {
        "node_id": state.id,
        "owner_id": state.owner_id,
        "kind": state.kind,
        "category": "" if state.kind == "folder" else category_of(state.name, state.mime_type),
        "mime_type": state.mime_type,
        "text": normalize_text(state.name),
        "updated_at": state.updated_at,
    }


def _highlighted(item: Json, terms: Sequence[str]) -> Json:
    return {**item, "highlight": highlight(str(item["name"]), terms)}


def _filter(query: SearchQuery, terms: Sequence[str]) -> SearchFilter:
    kind, categories, mime_type = _parse_type(query.type) if query.type else (None, (), None)
    return SearchFilter(
        terms=terms,
        kind=kind,
        categories=categories,
        mime_type=mime_type,
        since=beginning(query.since) if query.since else None,
        until=ending(query.until) if query.until else None,
    )


def _parse_type(value: str) -> tuple[str | None, Sequence[str], str | None]:
    """Return the kind, the categories or the media type that the parameter ``type`` stands for."""
    value = value.lower()
    if value in ("file", "folder"):
        return value, (), None
    if value in GROUPS:
        return None, GROUPS[value], None
    if "/" in value:
        return None, (), value.removesuffix("*")
    raise invalid("type", f"Must be one of file, folder, {', '.join(sorted(GROUPS))}, or a media type.")


def _cursor_after(position: Position) -> str:
    return encode_cursor([position.updated_at.isoformat(), position.node_id])


def _position_from_cursor(cursor: str) -> Position:
    moment, node_id = decode_cursor(cursor, 2)
    try:
        updated_at = datetime.fromisoformat(str(moment))
    except ValueError:
        updated_at = None
    if updated_at is None or updated_at.tzinfo is None or not isinstance(node_id, str) or not is_id(node_id):
        raise invalid_cursor()
    return Position(updated_at, node_id)
