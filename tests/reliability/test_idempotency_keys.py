"""A POST takes effect once per idempotency key, despite kills between effect and response and despite races.

The POSTs are those of the OpenAPI description, so that a new one is either tested here or listed with the reason why it
takes no key.
"""

import asyncio
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import func, select, update

from metastore.adapters.event_bus.inprocess.queue import QueuedEvent
from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Database
from metastore.kit.ids import new_id
from metastore.kit.saga.models import SagaRow
from tests.fixtures import killable_product
from tests.fixtures.process import MetastoreProcess
from tests.fixtures.product import PASSWORD, Client
from tests.fixtures.programs import COMMAND
from tests.fixtures.waiting import eventually
from tests.reliability.http_uploads import (
    UPLOADS,
    Sending,
    Usage,
    all_items,
    new_user,
    simple_upload,
    some_bytes,
    the_admin,
    upload_request,
    usage_of,
)
from tests.reliability.product_launch import Launch, restart

COMMITS = (1, 2, 3)
"""The commits at which requests are halted: the first reserves the key; no endpoint has more before its response."""
SIZE = 500
SHARE_LINKS = "/api/v1/share-links"
WITHOUT_KEYS = {
    "/api/v1/archives": "a second URL of the same archive does no harm",
    "/api/v1/auth/login": "a second session does no harm, and a response with cookies is never stored",
    "/api/v1/auth/refresh": "the token itself says whether it was used",
    "/api/v1/auth/logout": "signing out twice is the same as once",
    "/api/v1/share-links/token/{token}/access": "visitors are anonymous; who holds a grant is not counted again",
    "/api/v1/notifications/read-all": "what is read stays read",
    "/api/v1/notifications/{notification_id}/read": "what is read stays read",
}


@dataclass
class Sent:
    """A request with its own key."""

    client: Client
    path: str
    status: int
    body: dict[str, Any]
    key: str
    url: str

    async def send(self) -> httpx.Response:
        """Send it, for the first time or again."""
        return await self.client.post(self.url, headers={"Idempotency-Key": self.key}, **self.body)


class Round:
    """One request to each POST that takes a key, and the expected state afterwards."""

    def __init__(self, name: str, client: Client, admin: Client, database: Database) -> None:
        self.name = name
        self._client = client
        self._admin = admin
        self._database = database
        self.requests: list[Sent] = []

    async def prepare(self) -> None:
        """Create the state that the requests act on."""
        failed = await _broken_film(self._client)
        completing = await Sending.begin(self._client, some_bytes(SIZE), name=f"{self.name}-completed")
        await completing.put_all()
        parts = [{"partNumber": number, "etag": etag} for number, etag in completing.etags.items()]
        trashed = (await simple_upload(self._client, some_bytes(SIZE), f"{self.name}-restored")).json()["file"]
        await self._client.json_of("DELETE", f"/api/v1/files/{trashed['id']}", 204)
        dead = await self._dead_event()
        shared = {"resourceId": failed, "permission": "VIEW"}
        rotated = await self._client.json_of("POST", SHARE_LINKS, 201, json=shared)
        await self._make_retryable(failed)
        account = {"username": self.name, "email": f"{self.name}@example.org", "password": PASSWORD}
        completed = {"fileId": completing.file_id, "uploadId": completing.upload_id, "parts": parts}
        form = {"files": {"file": (f"{self.name}-simple", some_bytes(SIZE))}, "data": {"path": "/"}}
        batch = {"files": [("file", (f"{self.name}-batch/{n}", some_bytes(SIZE // 2))) for n in range(2)]}
        redeliver = "/api/v1/admin/events/dead/{dead_id}/redeliver"
        retry, restore = "/api/v1/files/{file_id}/retry", "/api/v1/trash/{node_id}/restore"
        mine = self._client
        bodies: list[tuple[Client, str, int, dict[str, Any], str]] = [
            (mine, "/api/v1/auth/register", 201, {"json": account}, ""),
            (mine, "/api/v1/folders", 201, {"json": {"name": f"{self.name}-folder"}}, ""),
            (mine, f"{UPLOADS}/initiate", 201, {"json": upload_request(SIZE, name=f"{self.name}-initiated")}, ""),
            (mine, f"{UPLOADS}/complete", 200, {"json": completed}, ""),
            (mine, "/api/v1/files/upload", 201, form, ""),
            (mine, "/api/v1/files/upload-batch", 200, batch, ""),
            (mine, restore, 200, {}, trashed["id"]),
            (mine, SHARE_LINKS, 201, {"json": {**shared, "label": f"{self.name}-link"}}, ""),
            (mine, f"{SHARE_LINKS}/{{link_id}}/rotate", 200, {}, rotated["id"]),
            (mine, retry, 200, {}, failed),
            (self._admin, redeliver, 204, {}, dead),
        ]
        for client, path, status, body, target_id in bodies:
            url = re.sub(r"\{\w+\}", target_id, path)
            self.requests.append(Sent(client, path, status, body, f"{self.name}-{new_id()}", url))

    async def have_one_effect_each(self) -> None:
        """Assert that every request succeeds, is replayed when it is repeated, and takes effect once."""
        responses = [await self._respond(sent) for sent in self.requests]
        for sent, first in zip(self.requests, responses, strict=True):
            replay = await sent.send()
            assert (replay.status_code, replay.content) == (first.status_code, first.content), sent.path
            assert replay.headers.get("etag") == first.headers.get("etag"), sent.path
            assert replay.headers["idempotency-replayed"] == "true", sent.path
        names = Counter(item["name"] for item in await all_items(self._client, "/api/v1/files"))
        created = ("folder", "initiated", "completed", "simple", "batch", "restored")
        assert {name: count for name, count in names.items() if name.startswith(f"{self.name}-")} == {
            f"{self.name}-{what}": 1 for what in created
        }
        labels = [link["label"] for link in await all_items(self._client, SHARE_LINKS)]
        assert labels.count(f"{self.name}-link") == 1
        unfinished = [item["name"] for item in await all_items(self._client, UPLOADS)]
        assert unfinished.count(f"{self.name}-initiated") == 1

    async def _respond(self, sent: Sent) -> httpx.Response:
        got = await sent.send()
        assert got.status_code == sent.status, f"{sent.path} {sent.key}: {got.status_code} {got.text}"
        return got

    async def _dead_event(self) -> str:
        dead = QueuedEvent(
            id=new_id(),
            consumer="retired",
            event_id=new_id(),
            event_type="sample.recorded",
            aggregate="sample:one",
            payload={},
            headers={},
            created_at=utc_now(),
            attempts=5,
            dead_at=utc_now(),
            error="RuntimeError: the handler failed",
        )
        async with self._database.transaction() as tx:
            tx.session.add(dead)
        return dead.id

    async def _make_retryable(self, file_id: str) -> None:
        async def failed() -> bool:
            file = await self._client.json_of("GET", f"/api/v1/files/{file_id}")
            return bool(file["status"] == "FAILED")

        await eventually(failed, interval=0.1, why="the film has failed")
        async with self._database.transaction() as tx:
            # The failure of a broken film is permanent, so it cannot be retried by itself.
            await tx.session.execute(update(SagaRow).where(SagaRow.subject == file_id).values(retryable=True))


@asynccontextmanager
async def _clients(
    product: MetastoreProcess, settings: dict[str, str]
) -> AsyncIterator[tuple[Client, Client, Database]]:
    database = Database(settings.get("DATABASE_URL") or f"sqlite+aiosqlite:///{product.data_dir / 'metastore.db'}")
    try:
        async with new_user(product.address) as client, the_admin(product.address) as admin:
            yield client, admin, database
    finally:
        await database.aclose()


async def _broken_film(client: Client) -> str:
    response = await client.post(
        "/api/v1/files/upload", files={"file": ("film.mp4", b"\0\0\0\x18ftypmp42" + bytes(200))}
    )
    assert response.status_code == 201, response.text
    return str(response.json()["file"]["id"])


async def test_a_kill_between_effect_and_response_loses_neither(
    launch: Launch, database_setting: dict[str, str]
) -> None:
    """After a kill following any of the commits, each repeated request gets the response of an undisturbed one."""
    product = launch(**database_setting)
    product.command = (sys.executable, "-P", killable_product.__file__)
    product.start()
    async with _clients(product, database_setting) as (client, admin, database):
        rounds = [Round(f"halt-{number}", client, admin, database) for number in COMMITS]
        for each in rounds:
            await each.prepare()
        before = await usage_of(client)
        await _kill_during(product, [sent for each in rounds for sent in each.requests])
        restart(product)
        for each in rounds:
            await each.have_one_effect_each()
        completed, simple, batch, initiated = (len(COMMITS) * SIZE,) * 4
        assert before.reserved == completed
        assert await usage_of(client) == Usage(before.used + completed + simple + batch, initiated)
        assert await _still_dead(database) == 0


async def test_one_of_several_equal_requests_at_once_takes_effect(
    launch: Launch, database_setting: dict[str, str]
) -> None:
    """The others get its response, or a 409 while it is still running."""
    product = launch(**database_setting)
    product.start()
    async with _clients(product, database_setting) as (client, admin, database):
        racing = Round("raced", client, admin, database)
        await racing.prepare()
        for sent in racing.requests:
            responses = await asyncio.gather(*(sent.send() for _ in range(4)))
            assert {response.status_code for response in responses} <= {sent.status, 409}, sent.path
            assert len({response.content for response in responses if response.status_code == sent.status}) == 1, (
                sent.path
            )
        await racing.have_one_effect_each()


async def test_every_post_takes_a_key_or_is_listed_as_an_exception(launch: Launch) -> None:
    """The OpenAPI description has the header for exactly the POSTs that are tested here."""
    product = launch()
    product.start()
    async with _clients(product, {}) as (client, admin, database):
        all_of_them = Round("named", client, admin, database)
        await all_of_them.prepare()
        paths = (await client.json_of("GET", "/openapi.json"))["paths"]
    posts = {path: operations["post"] for path, operations in paths.items() if "post" in operations}
    with_key = {path for path, operation in posts.items() if "Idempotency-Key" in str(operation.get("parameters", []))}
    assert with_key == {sent.path for sent in all_of_them.requests}
    assert posts.keys() - with_key == WITHOUT_KEYS.keys()


async def _kill_during(product: MetastoreProcess, requests: list[Sent]) -> None:
    tasks = [asyncio.create_task(sent.send()) for sent in requests]

    async def all_wait() -> bool:
        return product.output().count("halted\n") + sum(task.done() for task in tasks) == len(tasks)

    await eventually(all_wait, interval=0.05, why="all requests are halted or have a response")
    product.kill()
    product.command = (str(COMMAND),)
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(end, httpx.TransportError) for end in ended) > len(requests) // 2
    for sent, end in zip(requests, ended, strict=True):
        if isinstance(end, httpx.Response):
            assert end.status_code == sent.status, f"{sent.path}: {end.text}"
        else:
            assert isinstance(end, httpx.TransportError), f"{sent.path}: {end!r}"


async def _still_dead(database: Database) -> int:
    """Return the number of dead events."""
    async with database.reading() as tx:
        statement = select(func.count()).select_from(QueuedEvent).where(QueuedEvent.dead_at.is_not(None))
        return (await tx.session.execute(statement)).scalar_one()
