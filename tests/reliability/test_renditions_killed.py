"""A product that is killed while it makes renditions resumes where it stopped."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from metastore.features.media.models import MediaSegment, Rendition
from metastore.kit.database.unit_of_work import Database
from tests.fixtures.media import make_clip
from tests.fixtures.product import Client
from tests.fixtures.waiting import eventually
from tests.reliability.fsck_runs import fsck
from tests.reliability.http_uploads import new_user
from tests.reliability.product_launch import Launch, restart, s3_settings

SECONDS = 32


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A film of half a minute at 640 × 480 that can be remuxed, with one smaller rung to encode."""
    sources = f"-f lavfi -i testsrc2=size=640x480:rate=25:duration={SECONDS}"
    sources += f" -f lavfi -i sine=frequency=440:sample_rate=48000:duration={SECONDS}"
    encoding = "-c:v libx264 -preset ultrafast -g 100 -pix_fmt yuv420p -c:a aac -movflags +faststart"
    return make_clip(tmp_path_factory.mktemp("film") / "film.mp4", *sources.split(), *encoding.split())


async def segments(database: Database) -> dict[str, tuple[str, list[int]]]:
    """Return the id and the segment numbers of each rendition by name."""
    async with database.reading() as tx:
        renditions = {row.id: row.name for row in await tx.session.scalars(select(Rendition))}
        rows = await tx.session.execute(
            select(MediaSegment.rendition_id, MediaSegment.number).order_by(MediaSegment.number)
        )
    found: dict[str, tuple[str, list[int]]] = {name: (rendition_id, []) for rendition_id, name in renditions.items()}
    for rendition_id, number in rows:
        found[renditions[rendition_id]][1].append(number)
    return found


async def file_of(client: Client, file_id: str) -> dict[str, Any]:
    seen: dict[str, Any] = await client.json_of("GET", f"/api/v1/files/{file_id}")
    return seen


@pytest.mark.parametrize("store", ["embedded", "s3"])
async def test_renditions_resume_after_the_product_is_killed(
    launch: Launch, store: str, film: bytes, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    settings = {} if store == "embedded" else s3_settings(request.getfixturevalue("seaweedfs"), bucket="killed")
    product = launch(**settings)
    product.start()
    database = Database(f"sqlite+aiosqlite:///{product.data_dir}/metastore.db")
    try:
        async with new_user(product.address) as client:
            response = await client.json_of("POST", "/api/v1/files/upload", 201, files={"file": ("film.mp4", film)})
            file_id = response["file"]["id"]

            async def some_are_encoded() -> bool:
                return len((await segments(database)).get("v360", ("", []))[1]) >= 1

            await eventually(some_are_encoded, interval=0.05, why="some segments are encoded")
            product.kill()
            before = await segments(database)
            assert len(before["v360"][1]) < SECONDS // 4, "the renditions were finished before the kill"
            restart(product)

            async def is_ready() -> bool:
                seen = await file_of(client, file_id)
                assert seen["status"] != "FAILED", seen
                return bool(seen["status"] == "READY")

            await eventually(is_ready, timeout=90, interval=0.2, why="the film is ready")
        after = await segments(database)
        assert {name: found[0] for name, found in before.items()} == {name: found[0] for name, found in after.items()}
        assert {"v480", "v360", "a0"} == after.keys()
        assert list(range(SECONDS // 4)) == after["v360"][1] == after["v480"][1]
        assert [] == (await fsck(product, "--grace", "0")).findings
    finally:
        await database.aclose()
