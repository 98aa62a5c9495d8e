"""An application with endpoints of every kind, in which effects can be counted."""

import asyncio
from typing import Annotated

import httpx
from fastapi import APIRouter, Depends, FastAPI, Form, Header, Request, Response, UploadFile
from fastapi.responses import JSONResponse
from sqlalchemy import func, select, update

from metastore.entrypoints.middleware import RequestMiddleware
from metastore.kit.api.dependencies import Transactions, provided
from metastore.kit.api.schema import Input, Schema
from metastore.kit.clock import utc_now
from metastore.kit.context import current_context
from metastore.kit.database.unit_of_work import Database
from metastore.kit.events.outbox import OutboxEvent
from metastore.kit.idempotency.checkpoints import (
    IdempotencyKeys,
    checkpoint,
    mark_compensation,
    save_checkpoint,
)
from metastore.kit.idempotency.claims import IdempotencyKey
from metastore.kit.idempotency.route import IdempotentRoute, repeatable, store_response
from metastore.kit.problems.problem import Problem
from metastore.kit.services import Services
from tests.fixtures.events import SampleRecorded


class OrderIn(Input):
    """The order that a client places."""

    item: str


class OrderOut(Schema):
    """The order that was placed."""

    item_name: str
    number: int


class Hooks:
    """Lets tests halt or fail an endpoint before and after its effect."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.resume = asyncio.Event()
        self.resume.set()
        self.halt_before_effect = False
        self.halt_after_effect = False
        self.fail_before: Exception | None = None
        self.fail_after: Exception | None = None

    async def before(self) -> None:
        """Halt or fail before the effect, if so configured."""
        if self.halt_before_effect:
            await self._halt()
        if self.fail_before:
            raise self.fail_before

    async def after(self) -> None:
        """Halt or fail after the commit of the effect, if so configured."""
        if self.halt_after_effect:
            await self._halt()
        if self.fail_after:
            raise self.fail_after

    async def _halt(self) -> None:
        self.reached.set()
        await self.resume.wait()


InjectedHooks = Annotated[Hooks, provided(Hooks)]


async def _set_actor(x_user: Annotated[str | None, Header()] = None) -> None:
    context = current_context()
    assert context is not None
    context.actor_id = x_user


router = APIRouter(route_class=IdempotentRoute, dependencies=[Depends(_set_actor)])


@router.post("/orders", status_code=201)
async def place_order(body: OrderIn, response: Response, database: Transactions, hooks: InjectedHooks) -> OrderOut:
    """An endpoint without code for idempotency."""
    await hooks.before()
    async with database.transaction() as tx:
        number = (await tx.session.execute(select(func.count()).select_from(OutboxEvent))).scalar_one()
        tx.record(SampleRecorded(sample=body.item, number=number))
    await hooks.after()
    response.headers["Location"] = f"/orders/{number}"
    response.set_cookie("secret", "value")
    return OrderOut(item_name=body.item, number=number)


@router.post("/orders-with-response", status_code=201)
async def order_with_response(body: OrderIn, database: Transactions, hooks: InjectedHooks) -> OrderOut:
    """An endpoint that stores its response with its effect."""
    async with database.transaction() as tx:
        tx.record(SampleRecorded(sample=body.item))
        ordered = await store_response(tx, OrderOut(item_name=body.item, number=7), status=201)
    await hooks.after()
    return ordered


@router.post("/repeatable-orders")
@repeatable
async def repeatable_order(body: OrderIn, database: Transactions, hooks: InjectedHooks) -> OrderOut:
    """An endpoint that may be executed again."""
    async with database.transaction() as tx:
        tx.record(SampleRecorded(sample=body.item))
    await hooks.after()
    return OrderOut(item_name=body.item, number=0)


@router.post("/compensated-orders")
async def compensated_order(body: OrderIn, database: Transactions, hooks: InjectedHooks) -> OrderOut:
    """An endpoint that compensates its effect when it fails later."""
    async with database.transaction() as tx:
        tx.record(SampleRecorded(sample=body.item))
    try:
        await hooks.after()
    except Problem:
        async with database.transaction() as tx:
            mark_compensation(tx)
        raise
    return OrderOut(item_name=body.item, number=0)


@router.post("/orders-with-checkpoint")
async def order_with_checkpoint(body: OrderIn, database: Transactions, hooks: InjectedHooks) -> OrderOut:
    """An endpoint that saves a checkpoint, and compensates its effect when it fails later."""
    earlier = checkpoint()
    if earlier is None:
        async with database.transaction() as tx:
            tx.record(SampleRecorded(sample=body.item))
            await save_checkpoint(tx, body.item)
    try:
        await hooks.after()
    except Problem:
        async with database.transaction() as tx:
            mark_compensation(tx)
        raise
    return OrderOut(item_name=earlier or body.item, number=int(earlier is not None))


@router.post("/photos")
async def upload_photo(file: UploadFile, database: Transactions, title: Annotated[str, Form()] = "") -> OrderOut:
    """An endpoint that takes a form."""
    content = await file.read()
    async with database.transaction() as tx:
        tx.record(SampleRecorded(sample=title))
    return OrderOut(item_name=file.filename or "", number=len(content))


@router.post("/empty", status_code=204)
async def empty(database: Transactions) -> None:
    """An endpoint without request and response bodies."""
    async with database.transaction() as tx:
        tx.record(SampleRecorded(sample=""))


@router.get("/order-list")
async def list_orders(database: Transactions) -> OrderOut:
    """A GET endpoint."""
    async with database.transaction() as tx:
        tx.record(SampleRecorded(sample=""))
    return OrderOut(item_name="", number=0)


class IdempotentApp:
    """The application on a database, with a client."""

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
        self._middleware = RequestMiddleware(app)

    async def post(
        self,
        path: str = "/orders",
        *,
        key: str | None = "key-1",
        user: str | None = "mai",
        json: object = None,
        address: str = "192.0.2.1",
        **options: object,
    ) -> httpx.Response:
        """Send a POST request. By default it orders the red item."""
        return await self.send("POST", path, key=key, user=user, json=json, address=address, **options)

    async def send(
        self, method: str, path: str, *, key: str | None, user: str | None, address: str, **options: object
    ) -> httpx.Response:
        """Send a request."""
        if options.get("json") is None and "files" not in options and "content" not in options:
            options["json"] = {"item": "red"}
        headers = {"Idempotency-Key": key} if key is not None else {}
        if user is not None:
            headers["X-User"] = user
        transport = httpx.ASGITransport(self._middleware, client=(address, 1), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://app.example/api") as client:
            return await client.request(method, path, headers=headers, **options)  # type: ignore[arg-type]  # passed on

    async def effects(self) -> int:
        """Return how many orders were placed."""
        async with self.database.reading() as tx:
            return (await tx.session.execute(select(func.count()).select_from(OutboxEvent))).scalar_one()

    async def kill_once_reached(self, request: "asyncio.Task[httpx.Response]") -> None:
        """Cancel a request where it halts, as if its process died there."""
        await asyncio.wait_for(self.hooks.reached.wait(), 60)
        request.cancel()
        await asyncio.wait([request])
        self.hooks.halt_before_effect = self.hooks.halt_after_effect = False

    async def end_leases(self) -> None:
        """Let all leases expire."""
        await self.set_rows(locked_until=utc_now())

    async def set_rows(self, **values: object) -> None:
        """Change all claims directly in the database."""
        async with self.database.transaction() as tx:
            await tx.session.execute(update(IdempotencyKey).values(**values))


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    body = error.body(request.url.path)
    return JSONResponse(body, error.status, error.headers, media_type="application/problem+json")
