"""The search service: updating and querying the index.

Events only say *which* node changed; its current state is read from the files feature, while its owner's documents are
locked. Events may therefore arrive in any order and more than once. Search results are also read from the files
feature, not from the index: an outdated document can hide a file, but can never reveal one that was renamed, trashed or
given to another owner.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from pydantic import JsonValue

from metastore.features.auth.schemas import Caller
from metastore.features.files.listing import node_lookup
from metastore.features.files.listing.node_lookup import NodeState
from metastore.features.files.representation.node_urls import NodeUrlResolver
from metastore.features.search import repository
from metastore.features.search.categories import GROUPS, category_of
from metastore.features.search.index_keys import document_keys, labels_of
from metastore.features.search.positions import FIRST, LAST, first_position, free_position
from metastore.features.search.repository import Entry, Stored
from metastore.features.search.schemas import SearchQuery
from metastore.features.search.search_queries import SearchFilter, latest
from metastore.features.search.text_normalization import highlight, normalize_text, query_terms
from metastore.kit.api.paging import decode_cursor, encode_cursor, invalid_cursor
from metastore.kit.api.period import beginning, ending
from metastore.kit.database.unit_of_work import Transaction
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
        terms = query_terms(query.q)
        criteria = _filter(query, terms)
        if query.cursor:
            criteria = replace(criteria, newest=min(criteria.newest, _position_from_cursor(query.cursor) - 1))
        items: list[JsonValue] = []
        more = False
        for _ in range(_MAX_QUERIES):
            missing = query.limit - len(items)
            found = await latest(tx, caller.id, criteria, missing + 1)
            more, found = len(found) > missing, found[:missing]
            nodes = await node_lookup.nodes_as_json(tx, caller, [hit.node_id for hit in found], self._urls)
            items += [_highlighted(nodes[hit.node_id], terms) for hit in found if hit.node_id in nodes]
            if found:
                criteria = replace(criteria, newest=found[-1].position - 1)
            if not more or len(items) == query.limit:
                break
        return {"items": items, "nextCursor": encode_cursor([criteria.newest + 1]) if more else None}


async def _update_documents(tx: Transaction, node_ids: Sequence[str], states: Sequence[NodeState]) -> None:
    listed = {state.id: state for state in states if state.listed}
    stored = await repository.stored(tx, sorted({*node_ids, *listed}))
    changed = [state for state in listed.values() if not _is_same(stored.get(state.id), state)]
    # All before any is inserted: on SQLite, the index of the keys takes changes of one kind best.
    await repository.remove(tx, [node_id for node_id in stored if node_id not in listed])
    positions = await _positions(tx, changed, stored)
    await repository.save(tx, [_entry(state, positions[state.id]) for state in changed])


async def _positions(tx: Transaction, states: Iterable[NodeState], stored: Mapping[str, Stored]) -> dict[str, int]:
    """Return the positions of documents, by node: those that they have, or free ones if their time has changed."""
    positions: dict[str, int] = {}
    moved: defaultdict[str, list[NodeState]] = defaultdict(list)
    for state in sorted(states, key=lambda state: state.id):
        before = stored.get(state.id)
        if before and (before.owner_id, before.updated_at) == (state.owner_id, state.updated_at):
            positions[state.id] = before.position
        else:
            moved[state.owner_id].append(state)
    for owner_id, owned in moved.items():
        taken = await repository.taken_positions(tx, owner_id, [state.updated_at for state in owned])
        for state in owned:
            positions[state.id] = free_position(state.updated_at, taken)
            taken.add(positions[state.id])
    return positions


def _is_same(document: Stored | None, state: NodeState) -> bool:
    if document is None:
        return False
    new = _category(state), state.mime_type, normalize_text(state.name), state.updated_at, state.owner_id
    return new == (document.category, document.mime_type, document.text, document.updated_at, document.owner_id)


def _entry(state: NodeState, position: int) -> Entry:
    text, category = normalize_text(state.name), _category(state)
    return {
        "node_id": state.id,
        "owner_id": state.owner_id,
        "kind": state.kind,
        "category": category,
        "mime_type": state.mime_type,
        "text": text,
        "updated_at": state.updated_at,
        "position": position,
        "index_keys": document_keys(state.owner_id, text, labels_of(state.kind, category, state.mime_type)),
    }


def _category(state: NodeState) -> str:
    return "" if state.kind == "folder" else category_of(state.name, state.mime_type)


def _highlighted(item: Json, terms: Sequence[str]) -> Json:
    return {**item, "highlight": highlight(str(item["name"]), terms)}


def _filter(query: SearchQuery, terms: Sequence[str]) -> SearchFilter:
    kind, categories, mime_type = _parse_type(query.type) if query.type else (None, (), None)
    return SearchFilter(
        terms=terms,
        kind=kind,
        categories=categories,
        mime_type=mime_type,
        oldest=first_position(beginning(query.since)) if query.since else FIRST,
        newest=first_position(ending(query.until)) - 1 if query.until else LAST,
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


def _position_from_cursor(cursor: str) -> int:
    (position,) = decode_cursor(cursor, 1)
    if not isinstance(position, int) or not FIRST < position <= LAST:
        raise invalid_cursor()
    return position
