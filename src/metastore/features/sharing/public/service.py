"""Opening links: the state of a link, its password, and counting accesses.

A link's state is checked in this order: unknown (404), revoked, expired (410), and then whether its file or folder can
be reached (404). That is not so while it is in the trash or its owner is suspended; since both can end, it is not 410.
"""

from dataclasses import dataclass
from datetime import timedelta

from metastore.features.auth.schemas import Visitor
from metastore.features.auth.sessions.request_context import client_address
from metastore.features.files.tree.access import NodeAccess, authorize
from metastore.features.files.tree.rights import Right
from metastore.features.sharing import repository
from metastore.features.sharing.events import ShareAccessed, ShareGuessed
from metastore.features.sharing.link_tokens import token_hash
from metastore.features.sharing.problems import (
    access_required,
    link_expired,
    link_revoked,
    link_used_up,
    password_required,
)
from metastore.features.sharing.public.guessing import PasswordCheck
from metastore.features.sharing.public.schemas import SharedLinkOut
from metastore.features.sharing.public.visitor_grants import VisitorGrant, VisitorGrants
from metastore.features.sharing.repository import AccessRow, LinkRow
from metastore.features.sharing.schemas import Permission
from metastore.kit.clock import Clock, utc_now
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import not_found

_NOTIFIED_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Visit:
    """A visitor's request below a link that the visitor has opened; ``token`` is the link's."""

    token: str
    link: LinkRow
    grant: VisitorGrant
    renewed: VisitorGrant | None = None

    @property
    def visitor(self) -> Visitor:
        """Who asks, as access is decided for."""
        return visitor_of(self.link)


class VisitsService:
    """The rules of share links for visitors."""

    def __init__(self, grants: VisitorGrants, passwords: PasswordCheck, clock: Clock = utc_now) -> None:
        self._grants = grants
        self._passwords = passwords
        self._clock = clock

    async def describe(self, tx: Transaction, token: str, presented: str | None) -> SharedLinkOut:
        """Return what the link leads to: with a password, little for whoever presents no valid grant.

        Suited for the page's title and description as well.

        Raises:
            Problem: 404; 410 ``link-revoked``, ``link-expired`` or ``link-used-up``.
        """
        link = await self._live(tx, token)
        held = self._held(link, presented)
        access = await authorize(tx, visitor_of(link), link.node_id, Right.VIEW)
        if held is None and link.is_used_up:
            raise link_used_up()
        shown = held is not None or link.password_hash is None
        is_file = shown and access.node.kind == "file"
        return SharedLinkOut(
            kind="folder" if link.kind == "folder" else "file",
            permission=Permission(link.permission),
            requires_password=link.password_hash is not None,
            expires_at=link.expires_at,
            has_access=held is not None,
            name=access.node.name if shown else None,
            size=access.node.size if is_file else None,
            mime_type=access.node.mime_type if is_file else None,
            owner_name=access.owner.display_name if shown else None,
        )

    async def enter(self, tx: Transaction, token: str, presented: str | None) -> Visit:
        """Return the visit of who presents a valid grant for the link.

        Raises:
            Problem: 404; 410 ``link-revoked`` or ``link-expired``; 401 ``link-access-required``.
        """
        link = await self._live(tx, token)
        held = self._held(link, presented)
        if held is None:
            raise access_required()
        return Visit(token, link, held, self._grants.renewed(held))

    async def open(self, database: Database, token: str, presented: str | None, password: str | None) -> Visit:
        """Open a link. Counts an access unless a valid grant is presented. Must not run inside a transaction.

        Raises:
            Problem: as ``describe``; 401 ``password-required`` or ``wrong-password``; 429 ``too-many-attempts``.
        """
        async with database.reading() as tx:
            link = await self._live(tx, token)
            access = await authorize(tx, visitor_of(link), link.node_id, Right.VIEW)
        held = self._held(link, presented)
        if held is None:
            if link.is_used_up:
                raise link_used_up()
            await self._check_password(database, link, password, access.node.name)
        visitor_id = held.visitor_id if held else new_id()
        async with database.transaction() as tx:
            if held is None:
                await self._count(tx, token, link, access, visitor_id)
            await self.record(tx, link, visitor_id, "access", counted=held is None)
        return Visit(token, link, self._grants.issue(link.id, link.version, visitor_id))

    async def record(
        self, tx: Transaction, link: LinkRow, visitor_id: str, action: str, *, counted: bool = False
    ) -> None:
        """Record what a visitor did, for the owner's list."""
        row = AccessRow(new_id(), visitor_id, client_address(), action, counted, self._clock())
        await repository.insert_access(tx, row, link.id)

    async def _check_password(self, database: Database, link: LinkRow, password: str | None, name: str) -> None:
        if link.password_hash is None:
            return
        if not password:
            raise password_required()

        async def report() -> None:
            async with database.transaction() as tx:
                tx.record(ShareGuessed(link_id=link.id, owner_id=link.owner_id, node_id=link.node_id, name=name))

        await self._passwords.verify(link.id, link.password_hash, password, report)

    async def _count(self, tx: Transaction, token: str, link: LinkRow, access: NodeAccess, visitor_id: str) -> None:
        now = self._clock()
        counted = await repository.count_access(tx, link, now=now, notified_before=now - _NOTIFIED_EVERY)
        if counted is None:
            if (await self._live(tx, token)).version != link.version:
                raise access_required()  # changed in between
            raise link_used_up()
        tx.record(
            ShareAccessed(
                link_id=link.id,
                owner_id=link.owner_id,
                node_id=link.node_id,
                name=access.node.name,
                visitor_id=visitor_id,
                access_count=counted.access_count,
                notify=counted.notified_at == now,
            )
        )

    async def _live(self, tx: Transaction, token: str) -> LinkRow:
        link = await repository.link_by_token(tx, token_hash(token))
        if link is None:
            raise not_found("share link")
        if link.revoked_at is not None:
            raise link_revoked()
        if link.expires_at is not None and link.expires_at <= self._clock():
            raise link_expired()
        return link

    def _held(self, link: LinkRow, presented: str | None) -> VisitorGrant | None:
        grant = self._grants.verify(presented)
        if grant is None or (grant.link_id, grant.version) != (link.id, link.version):
            return None
        return grant


def visitor_of(link: LinkRow) -> Visitor:
    """Return who visitors of a link are, as access is decided for."""
    return Visitor(link.id, link.version)
