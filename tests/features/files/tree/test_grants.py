"""Grants give others rights on a node and on everything below it, until they end."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from metastore.features.auth.models import User
from metastore.features.auth.schemas import Principal, Visitor
from metastore.features.files.models import Grant
from metastore.features.files.tree import grants
from metastore.features.files.tree.access import authorize, authorize_folder, authorize_many, authorize_place
from metastore.features.files.tree.grants import GrantRow
from metastore.features.files.tree.rights import EDITOR, VIEWER, Right
from metastore.kit.clock import utc_now
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem
from tests.features.files.owner_tree import OwnerTree
from tests.fixtures.accounts import add_user, signed_in


@dataclass
class Shared:
    """An owner's folders ``/top/trip/small`` with a file in each, and somebody else."""

    tree: OwnerTree
    guest: Principal
    top: str
    trip: str
    small: str
    photo: str

    async def grant(self, node_id: str, rights: Right, *, version: int = 0, ends_in: timedelta | None = None) -> str:
        """Give the guest rights on a node; return the grant's ID."""
        now = utc_now()
        row = GrantRow(
            id=new_id(),
            node_id=node_id,
            owner_id=self.tree.owner,
            subject_id=self.guest.subject_id,
            version=version,
            rights=rights.value,
            created_at=now,
            expires_at=None if ends_in is None else now + ends_in,
        )
        async with self.tree.database.transaction() as tx:
            assert await grants.insert(tx, row)
        return row.id

    async def refusal(self, node_id: str, right: Right = Right.VIEW) -> int | None:
        """Return the status that the guest is refused with; ``None`` if the guest has the right."""
        async with self.tree.database.reading() as tx:
            try:
                await authorize(tx, self.guest, node_id, right)
            except Problem as problem:
                return problem.status
        return None


@pytest.fixture
async def shared(tree: OwnerTree) -> Shared:
    await tree.file("secret.txt", "/top")
    photo = await tree.file("photo.txt", "/top/trip/small")
    small = await tree.get_folder(photo.parent_id or "")
    trip = await tree.get_folder(small.parent_id or "")
    guest = signed_in(await add_user(tree.database))
    return Shared(tree, guest, trip.parent_id or "", trip.id, small.id, photo.id)


async def test_a_grant_reaches_what_is_below_and_nothing_above(shared: Shared) -> None:
    await shared.grant(shared.trip, VIEWER)
    assert [None] * 3 == [await shared.refusal(each) for each in (shared.trip, shared.small, shared.photo)]
    assert 404 == await shared.refusal(shared.top)


async def test_what_may_be_seen_but_not_done_is_not_permitted(shared: Shared) -> None:
    await shared.grant(shared.trip, VIEWER)
    for right in Right:
        expected = None if right in VIEWER else 403
        assert expected == await shared.refusal(shared.photo, right)
    async with shared.tree.database.reading() as tx:
        with pytest.raises(Problem, match="403 not-permitted"):
            await authorize_place(tx, shared.guest, shared.small)


async def test_the_guest_sees_a_tree_that_begins_with_the_granted_folder(shared: Shared) -> None:
    await shared.grant(shared.trip, VIEWER)
    async with shared.tree.database.reading() as tx:
        found = await authorize_many(tx, shared.guest, [shared.top, shared.trip, shared.small, shared.photo])
        places = [await authorize_folder(tx, shared.guest, each, Right.LIST) for each in (shared.trip, shared.small)]
    paths = {node_id: (access.node.folder_path, access.node.parent_id) for node_id, access in found.items()}
    assert paths == {
        shared.trip: ("/", None),
        shared.small: ("/trip", shared.trip),
        shared.photo: ("/trip/small", shared.small),
    }
    assert [("/trip", 2), ("/trip/small", 3)] == [(place.path, place.depth) for place in places]
    assert [None, None] == [place.chain[0].parent_id for place in places]
    assert {shared.trip} == {access.root_id for access in (*found.values(), *places)}
    assert {(shared.tree.owner, True)} == {(access.owner.id, bool(access.owner.display_name)) for access in places}


async def test_several_grants_add_up_and_the_topmost_is_the_root(shared: Shared) -> None:
    await shared.grant(shared.photo, EDITOR)
    await shared.grant(shared.trip, VIEWER)
    async with shared.tree.database.reading() as tx:
        access = await authorize(tx, shared.guest, shared.photo, Right.EDIT)
    assert (shared.trip, "/trip/small") == (access.root_id, access.node.folder_path)
    assert 403 == await shared.refusal(shared.small, Right.EDIT)


async def test_what_was_granted_itself_cannot_be_deleted_by_the_guest(shared: Shared) -> None:
    await shared.grant(shared.trip, EDITOR)
    assert (403, None) == (
        await shared.refusal(shared.trip, Right.DELETE),
        await shared.refusal(shared.small, Right.DELETE),
    )


async def test_a_grant_follows_its_node(shared: Shared) -> None:
    await shared.grant(shared.trip, VIEWER)
    await shared.tree.change_folder(shared.trip, parentId=None, name="renamed")
    async with shared.tree.database.reading() as tx:
        access = await authorize(tx, shared.guest, shared.photo, Right.VIEW)
    assert access.node.folder_path == "/renamed/small"
    await shared.tree.change_folder(shared.small, parentId=shared.top)
    assert (404, None) == (await shared.refusal(shared.photo), await shared.refusal(shared.trip))


async def test_a_grant_is_void_while_its_node_is_in_the_trash(shared: Shared) -> None:
    await shared.grant(shared.trip, VIEWER)
    await shared.tree.trash(await shared.tree.get_folder(shared.top))
    assert 404 == await shared.refusal(shared.photo)
    await shared.tree.restore(shared.top)
    assert await shared.refusal(shared.photo) is None


async def test_a_grant_is_void_while_the_owner_is_suspended(shared: Shared) -> None:
    await shared.grant(shared.trip, VIEWER)
    for status, refused in (("SUSPENDED", 404), ("ACTIVE", None)):
        async with shared.tree.database.transaction() as tx:
            await tx.session.execute(update(User).where(User.id == shared.tree.owner).values(status=status))
        assert refused == await shared.refusal(shared.photo)


async def test_a_grant_ends_when_it_expires_or_is_revoked(shared: Shared) -> None:
    expired = await shared.grant(shared.trip, VIEWER, ends_in=timedelta(seconds=-1))
    assert 404 == await shared.refusal(shared.photo)
    async with shared.tree.database.transaction() as tx:
        in_an_hour = utc_now() + timedelta(hours=1)
        await grants.change(tx, expired, rights=VIEWER.value, version=0, expires_at=in_an_hour)
    assert await shared.refusal(shared.photo) is None
    async with shared.tree.database.transaction() as tx:
        assert await grants.revoke(tx, expired, utc_now())
        assert not await grants.revoke(tx, expired, utc_now())
        assert await grants.find(tx, expired) is None
    assert 404 == await shared.refusal(shared.photo)


async def test_a_visitor_has_the_rights_of_the_version_that_was_opened(shared: Shared) -> None:
    link_id = new_id()
    shared.guest = Visitor(link_id, 1)
    grant = await shared.grant(shared.trip, VIEWER, version=1)
    assert await shared.refusal(shared.photo) is None
    async with shared.tree.database.transaction() as tx:
        await grants.change(tx, grant, rights=VIEWER.value, version=2, expires_at=None)
    assert 404 == await shared.refusal(shared.photo)
    shared.guest = Visitor(link_id, 2)
    assert await shared.refusal(shared.photo) is None
    async with shared.tree.database.reading() as tx:
        with pytest.raises(Problem, match="404"):
            await authorize_folder(tx, shared.guest, None, Right.LIST)


async def test_a_subject_has_one_grant_on_a_node(shared: Shared) -> None:
    await shared.grant(shared.trip, VIEWER)
    async with shared.tree.database.transaction() as tx:
        [row] = await grants.on_node(tx, shared.trip)
        assert not await grants.insert(tx, row._replace(id=new_id()))


async def test_grants_are_listed_for_the_owner_and_for_the_subject(shared: Shared) -> None:
    first, second = await shared.grant(shared.trip, VIEWER), await shared.grant(shared.photo, EDITOR)
    await shared.grant(shared.small, VIEWER, ends_in=timedelta(seconds=-1))
    async with shared.tree.database.reading() as tx:
        given = await grants.given_by(tx, shared.tree.owner, after="", limit=10)
        received = await grants.given_to(tx, shared.guest.subject_id, utc_now(), after="", limit=10)
        rest = await grants.given_to(tx, shared.guest.subject_id, utc_now(), after=received[0].id, limit=1)
    assert 3 == len(given)
    assert sorted([first, second]) == [row.id for row in received]
    assert received[1:] == rest


async def test_grants_end_with_their_node(shared: Shared) -> None:
    await shared.grant(shared.photo, VIEWER)
    await shared.tree.trash(await shared.tree.get(shared.photo))
    await shared.tree.purge()
    async with shared.tree.database.reading() as tx:
        assert 0 == len((await tx.session.scalars(select(Grant))).all())
