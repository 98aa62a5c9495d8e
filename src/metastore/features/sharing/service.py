"""The sharing service: what owners do with their links.

Hashing a password is slow and must not happen inside a transaction, so creating and changing a link have a first step
that prepares them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from metastore.features.auth.credentials.passwords import Hasher
from metastore.features.auth.schemas import Caller
from metastore.features.files.tree import grants
from metastore.features.files.tree.access import NodeAccess, authorize_many
from metastore.features.files.tree.grants import GrantRow
from metastore.features.files.tree.rights import Right
from metastore.features.sharing import repository
from metastore.features.sharing.events import ShareChanged, ShareCreated, ShareRevoked
from metastore.features.sharing.link_tokens import LinkTokens, token_hash
from metastore.features.sharing.models import ShareLink
from metastore.features.sharing.problems import link_revoked
from metastore.features.sharing.repository import AccessRow, LinkRow
from metastore.features.sharing.schemas import (
    LinkAccessOut,
    LinkAccessPage,
    LinkIn,
    LinkOut,
    LinkPage,
    LinkPatch,
    Permission,
)
from metastore.kit.api.paging import decode_cursor, encode_cursor, invalid_cursor
from metastore.kit.clock import Clock, utc_now
from metastore.kit.context import absolute
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.idempotency.checkpoints import checkpoint, save_checkpoint
from metastore.kit.ids import is_id, new_id
from metastore.kit.problems.problem import Problem, invalid, not_found

_RIGHTS = {
    Permission.VIEW: Right.LIST | Right.VIEW,
    Permission.DOWNLOAD: Right.LIST | Right.VIEW | Right.DOWNLOAD,
}
_NEW_VERSION = frozenset({"permission", "expires_at", "password", "max_access_count"})


@dataclass(frozen=True, slots=True)
class PreparedLink:
    """A link to create, or changes to one, with the password hashed."""

    given: LinkIn | LinkPatch
    password_hash: str | None = field(repr=False)


class SharingService:
    """The rules of share links for their owners."""

    def __init__(self, hasher: Hasher, tokens: LinkTokens, clock: Clock = utc_now) -> None:
        self._hasher = hasher
        self._tokens = tokens
        self._clock = clock

    async def prepare(self, given: LinkIn | LinkPatch) -> PreparedLink:
        """Check a link or a change, and hash its password. Must not run inside a transaction.

        Raises:
            Problem: 422 if it expires in the past.
        """
        if given.expires_at is not None and given.expires_at <= self._clock():
            raise invalid("expiresAt", "The expiry must be in the future.")
        return PreparedLink(given, await self._hasher.hash(given.password) if given.password else None)

    async def create(self, tx: Transaction, caller: Caller, access: NodeAccess, prepared: PreparedLink) -> LinkOut:
        """Create a link of the caller's to what ``access``, with the right SHARE, was proved for."""
        resumed = checkpoint()
        if resumed:
            return await self.get(tx, caller, resumed)
        access.require(Right.SHARE)
        given, link_id, now = prepared.given, new_id(), self._clock()
        permission = given.permission or Permission.VIEW
        row = LinkRow(
            id=link_id,
            node_id=access.node.id,
            owner_id=access.owner_id,
            kind=access.node.kind,
            permission=permission,
            label=given.label,
            password_hash=prepared.password_hash,
            generation=1,
            version=1,
            expires_at=given.expires_at,
            max_access_count=given.max_access_count,
            access_count=0,
            last_accessed_at=None,
            created_at=now,
            revoked_at=None,
        )
        hashed = token_hash(self._tokens.token(link_id, 1))
        await repository.insert_link(tx, {**row._asdict(), "token_hash": hashed, "notified_at": None})
        rights = _RIGHTS[permission].value
        grant = GrantRow(link_id, row.node_id, row.owner_id, link_id, 1, rights, now, row.expires_at)
        await grants.insert(tx, grant)
        tx.record(ShareCreated(link_id=link_id, owner_id=row.owner_id, node_id=row.node_id, permission=permission))
        await save_checkpoint(tx, link_id)
        return self._out(row, access)

    async def get(self, tx: Transaction, caller: Caller, link_id: str) -> LinkOut:
        """Return the caller's link.

        Raises:
            Problem: 404 if the caller has no such link.
        """
        row = await self._find(tx, caller.id, link_id)
        return self._out(row, (await authorize_many(tx, caller, [row.node_id])).get(row.node_id))

    async def page(
        self, tx: Transaction, caller: Caller, *, resource_id: str | None, limit: int, cursor: str | None
    ) -> LinkPage:
        """Return a page of the caller's links, to one node or to all.

        Raises:
            Problem: 422 ``invalid-cursor``.
        """
        before = _id_from(cursor) if cursor else None
        if resource_id is not None and not is_id(resource_id):
            return LinkPage(items=[])
        rows = await repository.links_of(tx, caller.id, node_id=resource_id, before=before, limit=limit + 1)
        shown = rows[:limit]
        live = await authorize_many(tx, caller, list({row.node_id for row in shown}))
        return LinkPage(
            items=[self._out(row, live.get(row.node_id)) for row in shown],
            next_cursor=encode_cursor([shown[-1].id]) if len(rows) > limit else None,
        )

    async def change(self, tx: Transaction, caller: Caller, link_id: str, prepared: PreparedLink) -> LinkOut:
        """Change the caller's link. Whatever visitors must not survive raises its version.

        Raises:
            Problem: 404 if the caller has no such link; 410 ``link-revoked``.
        """
        link, given = await self._locked(tx, caller, link_id), prepared.given
        fields = given.model_fields_set & {*_NEW_VERSION, "label"}
        for name in fields - {"password"}:
            setattr(link, name, getattr(given, name))
        if "password" in fields:
            link.password_hash = prepared.password_hash
        if fields & _NEW_VERSION:
            link.version += 1
        if fields:
            await self._save(tx, link, sorted(fields))
        return await self.get(tx, caller, link_id)

    async def rotate(self, tx: Transaction, caller: Caller, link_id: str) -> LinkOut:
        """Give the caller's link a new token.

        Raises:
            Problem: as for ``change``.
        """
        if checkpoint() is None:
            link = await self._locked(tx, caller, link_id)
            link.generation += 1
            link.version += 1
            link.token_hash = token_hash(self._tokens.token(link.id, link.generation))
            await self._save(tx, link, ["token"])
            await save_checkpoint(tx, link_id)
        return await self.get(tx, caller, link_id)

    async def revoke(self, tx: Transaction, caller: Caller, link_id: str) -> None:
        """Revoke the caller's link; nothing happens if it is revoked already.

        Raises:
            Problem: 404 if the caller has no such link.
        """
        link = await self._locked(tx, caller, link_id, even_revoked=True)
        if link.revoked_at is None:
            link.revoked_at = self._clock()
            await tx.session.flush()
            await grants.revoke(tx, link.id, link.revoked_at)
            tx.record(ShareRevoked(link_id=link.id, owner_id=link.owner_id, node_id=link.node_id))

    async def accesses(
        self, tx: Transaction, caller: Caller, link_id: str, *, limit: int, cursor: str | None
    ) -> LinkAccessPage:
        """Return a page of what visitors of the caller's link did.

        Raises:
            Problem: 404 if the caller has no such link; 422 ``invalid-cursor``.
        """
        await self._find(tx, caller.id, link_id)
        rows = await repository.accesses_of(tx, link_id, before=_id_from(cursor) if cursor else None, limit=limit + 1)
        shown = rows[:limit]
        return LinkAccessPage(
            items=[_access_out(row) for row in shown],
            next_cursor=encode_cursor([shown[-1].id]) if len(rows) > limit else None,
        )

    async def _save(self, tx: Transaction, link: ShareLink, fields: Sequence[str]) -> None:
        await tx.session.flush()
        rights = _RIGHTS[Permission(link.permission)].value
        await grants.change(tx, link.id, rights=rights, version=link.version, expires_at=link.expires_at)
        tx.record(ShareChanged(link_id=link.id, owner_id=link.owner_id, node_id=link.node_id, fields=tuple(fields)))

    async def _locked(self, tx: Transaction, caller: Caller, link_id: str, *, even_revoked: bool = False) -> ShareLink:
        link = await repository.lock_link(tx, caller.id, link_id) if is_id(link_id) else None
        if link is None:
            raise await _nothing(tx, link_id)
        if link.revoked_at is not None and not even_revoked:
            raise link_revoked()
        return link

    async def _find(self, tx: Transaction, owner_id: str, link_id: str) -> LinkRow:
        row = await repository.link_of(tx, owner_id, link_id) if is_id(link_id) else None
        if row is None:
            raise await _nothing(tx, link_id)
        return row

    def _out(self, row: LinkRow, live: NodeAccess | None) -> LinkOut:
        token = self._tokens.token(row.id, row.generation)
        is_over = row.revoked_at is not None or _is_past(row.expires_at, self._clock())
        return LinkOut(
            id=row.id,
            token=token,
            url=absolute(f"/share/{token}"),
            resource_id=row.node_id,
            name=live.node.name if live else None,
            kind="folder" if row.kind == "folder" else "file",
            permission=Permission(row.permission),
            expires_at=row.expires_at,
            has_password=row.password_hash is not None,
            max_access_count=row.max_access_count,
            access_count=row.access_count,
            last_accessed_at=row.last_accessed_at,
            is_active=live is not None and not is_over and not row.is_used_up,
            revoked_at=row.revoked_at,
            label=row.label,
            created_at=row.created_at,
        )


async def _nothing(tx: Transaction, link_id: str) -> Problem:
    return not_found("share link", refused=is_id(link_id) and await repository.exists(tx, link_id))


def _is_past(expires_at: datetime | None, now: datetime) -> bool:
    return expires_at is not None and expires_at <= now


def _access_out(row: AccessRow) -> LinkAccessOut:
    return LinkAccessOut(
        at=row.at,
        visitor=row.visitor_id,
        address=row.address,
        counted=row.counted,
        action="download" if row.action == "download" else "access",
    )


def _id_from(cursor: str) -> str:
    (key,) = decode_cursor(cursor, 1)
    if not isinstance(key, str) or not is_id(key):
        raise invalid_cursor()
    return key
