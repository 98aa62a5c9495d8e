"""Add a film to a product, and read and check the state of its renditions."""

from sqlalchemy import select

from metastore.bootstrap import Product
from metastore.features.files.models import Node
from metastore.features.files.tree.access import own_tree
from metastore.features.media.models import MediaSegment, Rendition
from metastore.features.media.objects.keys import init_key, segment_key
from metastore.features.uploads.whole.service import WholeUploads
from tests.fixtures.accounts import add_user, signed_in
from tests.fixtures.killable_renderer import SEGMENTS
from tests.fixtures.media_pipeline import PICTURE
from tests.fixtures.whole_files import no_response, whole_file


async def add_film(product: Product) -> str:
    """Add a film that is due for processing and return its id."""
    owner = await add_user(product.database)

    uploads = product.services.get(WholeUploads)
    return str(
        (await uploads.store_one(own_tree(signed_in(owner)), whole_file(PICTURE, "film.jpg"), no_response))["id"]
    )


async def status_of(product: Product, file_id: str) -> str | None:
    """Return the file's status."""
    async with product.database.reading() as tx:
        return await tx.session.scalar(select(Node.status).where(Node.id == file_id))


async def numbers(product: Product) -> dict[str, list[int]]:
    """Return the segment numbers of each rendition."""
    async with product.database.reading() as tx:
        rows = await tx.session.execute(
            select(Rendition.name, MediaSegment.number).join(MediaSegment, MediaSegment.rendition_id == Rendition.id)
        )
    found: dict[str, list[int]] = {}
    for name, number in rows:
        found.setdefault(name, []).append(number)
    return {name: sorted(found[name]) for name in sorted(found)}


async def assert_whole(product: Product, segments: int = SEGMENTS) -> None:
    """Assert that every rendition has all its segments, and that the stored objects match the rows."""
    async with product.database.reading() as tx:
        prefixes = list(await tx.session.scalars(select(Rendition.key_prefix)))
    expected = {segment_key(prefix, number) for prefix in prefixes for number in range(segments)}
    expected |= {init_key(prefix) for prefix in prefixes}
    stored = {stored.key async for stored in product.store.list_objects("files/")}
    assert expected == {key for key in stored if "/hls/" in key}
    assert {name: list(range(segments)) for name in ("a0", "v360", "v480", "v720")} == await numbers(product)
