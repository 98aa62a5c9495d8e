"""An application whose endpoints boil kettles, to see how often a request has its effect."""

import asyncio
from typing import Annotated

import httpx
from fastapi import APIRouter, Depends, FastAPI, Form, Header, Request, Response, UploadFile
from fastapi.responses import JSONResponse
from sqlalchemy import func, select, update

from metastore.entrypoints.gate import RequestGate
from metastore.kit.clock import utc_now
from metastore.kit.context import current_context
from metastore.kit.database import Database
from metastore.kit.http import Transactions, provided
from metastore.kit.idempotency import IdempotentRoute, keep_answer, repeatable
from metastore.kit.idempotency_begun import IdempotencyKeys, begun, keep_begun, mark_compensation
from metastore.kit.idempotency_claims import IdempotencyKey
from metastore.kit.outbox import OutboxEvent
from metastore.kit.problem import Problem
from metastore.kit.schema import Input, Schema
from metastore.kit.services import Services
from tests.fixtures.events import KettleBoiled


class Kettle(Input):
    """What to boil."""

    kettle: str


class Boiled(Schema):
    """What was boiled."""

    kettle_name: str
    number: int


class Hooks:
    """Where tests step in: each is awaited at its place."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.halt_before_effect = False
        self.halt_after_effect = False
        self.fail_before: Exception | None = None
        self.fail_after: Exception | None = None

    async def before(self) -> None:
        """Just before the effect."""
        if self.halt_before_effect:
            await self._halt()
        if self.fail_before:
            raise self.fail_before

    async def after(self) -> None:
        """Just after its commit."""
        if self.halt_after_effect:
            await self._halt()
        if self.fail_after:
            raise self.fail_after

    async def _halt(self) -> None:
        self.reached.set()
        await self.go_on.wait()


HooksHere = Annotated[Hooks, provided(Hooks)]


async def _known_user(x_user: Annotated[str | None, Header()] = None) -> None:
    context = current_context()
    assert context is not None
    context.actor_id = x_user


router = APIRouter(route_class=IdempotentRoute, dependencies=[Depends(_known_user)])


@router.post("/boil", status_code=201)
async def boil(body: Kettle, response: Response, database: Transactions, hooks: HooksHere) -> Boiled:
    """An endpoint that knows nothing of idempotency."""
    await hooks.before()
    async with database.transaction() as tx:
        number = (await tx.session.execute(select(func.count()).select_from(OutboxEvent))).scalar_one()
        tx.record(KettleBoiled(kettle=body.kettle, number=number))
    await hooks.after()
    response.headers["Location"] = f"/kettles/{number}"
    response.set_cookie("secret", "steam")
    return Boiled(kettle_name=body.kettle, number=number)


@router.post("/boil-and-keep", status_code=201)
async def boil_and_keep(body: Kettle, database: Transactions, hooks: HooksHere) -> Boiled:
    """An endpoint that stores its answer with its effect."""
    async with database.transaction() as tx:
        tx.record(KettleBoiled(kettle=body.kettle))
        answer = await keep_answer(tx, Boiled(kettle_name=body.kettle, number=7), status=201)
    await hooks.after()
    return answer


@router.post("/boil-again")
@repeatable
async def boil_again(body: Kettle, database: Transactions, hooks: HooksHere) -> Boiled:
    """An endpoint that may run again."""
    async with database.transaction() as tx:
        tx.record(KettleBoiled(kettle=body.kettle))
    await hooks.after()
    return Boiled(kettle_name=body.kettle, number=0)


@router.post("/spill")
async def spill(body: Kettle, database: Transactions, hooks: HooksHere) -> Boiled:
    """An endpoint that takes its effect back when what follows fails."""
    async with database.transaction() as tx:
        tx.record(KettleBoiled(kettle=body.kettle))
    try:
        await hooks.after()
    except Problem:
        async with database.transaction() as tx:
            mark_compensation(tx)
        raise
    return Boiled(kettle_name=body.kettle, number=0)


@router.post("/boil-slowly")
async def boil_slowly(body: Kettle, database: Transactions, hooks: HooksHere) -> Boiled:
    """An endpoint that notes what it began, and takes it back when what follows fails."""
    earlier = begun()
    if earlier is None:
        async with database.transaction() as tx:
            tx.record(KettleBoiled(kettle=body.kettle))
            await keep_begun(tx, body.kettle)
    try:
        await hooks.after()
    except Problem:
        async with database.transaction() as tx:
            mark_compensation(tx)
        raise
    return Boiled(kettle_name=earlier or body.kettle, number=int(earlier is not None))


@router.post("/photograph")
async def photograph(file: UploadFile, database: Transactions, title: Annotated[str, Form()] = "") -> Boiled:
    """An endpoint that takes a form."""
    content = await file.read()
    async with database.transaction() as tx:
        tx.record(KettleBoiled(kettle=title))
    return Boiled(kettle_name=file.filename or "", number=len(content))


@router.post("/empty", status_code=204)
async def empty(database: Transactions) -> None:
    """An endpoint without body and answer."""
    async with database.transaction() as tx:
        tx.record(KettleBoiled(kettle=""))


@router.get("/look")
async def look(database: Transactions) -> Boiled:
    """An endpoint that is no POST."""
    async with database.transaction() as tx:
        tx.record(KettleBoiled(kettle=""))
    return Boiled(kettle_name="", number=0)


class Kitchen:
    """The application over a database, and how to visit it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.hooks = Hooks()
        services = Services()
        services.add(database)
        services.add(IdempotencyKeys(database))
        services.add(self.hooks)
        app = FastAPI(exception_handlers={Problem: _on_problem})
        app.state.services = services
        app.include_router(router, prefix="/api")
        self._app = RequestGate(app)

    async def post(
        self,
        path: str = "/boil",
        *,
        key: str | None = "key-1",
        user: str | None = "mai",
        json: object = None,
        address: str = "192.0.2.1",
        **options: object,
    ) -> httpx.Response:
        """Send a request; without ``json`` or other content it boils the red kettle."""
        return await self.send("POST", path, key=key, user=user, json=json, address=address, **options)

    async def send(
        self, method: str, path: str, *, key: str | None, user: str | None, address: str, **options: object
    ) -> httpx.Response:
        """Send a request."""
        if options.get("json") is None and "files" not in options and "content" not in options:
            options["json"] = {"kettle": "red"}
        headers = {"Idempotency-Key": key} if key is not None else {}
        if user is not None:
            headers["X-User"] = user
        transport = httpx.ASGITransport(self._app, client=(address, 1), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://kitchen.example/api") as client:
            return await client.request(method, path, headers=headers, **options)  # type: ignore[arg-type]  # passed on

    async def effects(self) -> int:
        """How many kettles were boiled."""
        async with self.database.reading() as tx:
            return (await tx.session.execute(select(func.count()).select_from(OutboxEvent))).scalar_one()

    async def kill_once_reached(self, request: "asyncio.Task[httpx.Response]") -> None:
        """Stop a request where it halts, as if its process died there."""
        await asyncio.wait_for(self.hooks.reached.wait(), 60)
        request.cancel()
        await asyncio.wait([request])
        self.hooks.halt_before_effect = self.hooks.halt_after_effect = False

    async def end_leases(self) -> None:
        """Let the time of all claims run out."""
        await self.set_rows(locked_until=utc_now())

    async def set_rows(self, **values: object) -> None:
        """Change all claims behind the mechanism's back."""
        async with self.database.transaction() as tx:
            await tx.session.execute(update(IdempotencyKey).values(**values))


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    body = error.body(request.url.path)
    return JSONResponse(body, error.status, error.headers, media_type="application/problem+json")
