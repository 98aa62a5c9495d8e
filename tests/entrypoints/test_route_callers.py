"""The application starts only if every route says who may call it."""

from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from starlette.staticfiles import StaticFiles

from metastore.config import ConfigurationError
from metastore.entrypoints.blueprint import blueprint
from metastore.entrypoints.http import create_app, routers_of
from metastore.entrypoints.route_callers import OUTSIDE, UndeclaredCallersError, require_callers, routes_of
from metastore.features.auth.access import AdminUser, CurrentAccount, CurrentUser, Public, RouteCaller
from metastore.features.sharing.public.visitors import CurrentVisit
from metastore.kit.services import Services
from tests.fixtures.access_page import listed_callers, listed_outside


def an_app(router: APIRouter) -> FastAPI:
    """Return an application with the routes of ``router`` alone."""
    app = FastAPI(openapi_url=None)
    app.include_router(router)
    return app


@pytest.fixture
def router() -> APIRouter:
    """A router of a feature."""
    return APIRouter(prefix="/api/v1/shares")


def test_a_route_that_does_not_say_who_may_call_it_is_refused(router: APIRouter) -> None:
    """The message is one line with the route's name, which the command line shows as it does wrong settings."""

    @router.get("/{share_id}")
    async def forgetful(share_id: str) -> str:
        return share_id

    with pytest.raises(UndeclaredCallersError) as refused:
        create_app(Services(), [router])

    assert str(refused.value) == (
        "GET /api/v1/shares/{share_id} must depend on exactly one of Public, CurrentUser, AdminUser, CurrentVisit; "
        "it depends on none"
    )
    assert isinstance(refused.value, ConfigurationError)


def test_a_route_that_names_two_kinds_of_callers_is_refused(router: APIRouter) -> None:
    @router.post("")
    async def undecided(_caller: Public, _user: CurrentUser) -> None: ...

    with pytest.raises(UndeclaredCallersError, match=r"POST /api/v1/shares .* it depends on CurrentUser and Public"):
        require_callers(an_app(router))


def test_an_admin_is_not_named_beside_a_user(router: APIRouter) -> None:
    """Although the marker of admins depends on that of users."""

    @router.get("")
    async def undecided(_user: CurrentUser, _admin: AdminUser) -> None: ...

    with pytest.raises(UndeclaredCallersError, match="AdminUser and CurrentUser"):
        require_callers(an_app(router))


def test_a_route_in_a_router_that_another_includes_is_refused(router: APIRouter) -> None:
    inner = APIRouter()

    @inner.get("/inner")
    async def forgetful() -> None: ...

    router.include_router(inner)

    with pytest.raises(UndeclaredCallersError, match="GET /api/v1/shares/inner "):
        require_callers(an_app(router))


def test_a_mounted_application_is_refused_unless_it_is_listed(tmp_path: Path) -> None:
    app = FastAPI(openapi_url=None)
    app.mount("/assets", StaticFiles(directory=tmp_path))
    require_callers(app)
    app.mount("/reports", StaticFiles(directory=tmp_path))

    with pytest.raises(UndeclaredCallersError, match="ANY /reports "):
        require_callers(app)


def test_a_router_cannot_borrow_a_listed_path(router: APIRouter) -> None:
    """What is listed is exempt by its whole path."""

    @router.get("/docs")
    async def forgetful() -> None: ...

    with pytest.raises(UndeclaredCallersError, match="GET /api/v1/shares/docs "):
        require_callers(an_app(router))


def test_each_marker_is_found_however_it_is_reached(router: APIRouter) -> None:
    @router.get("/public")
    async def public(_caller: Public) -> None: ...

    @router.get("/user")
    async def user(_caller: CurrentUser) -> None: ...

    @router.get("/account")
    async def account(_account: CurrentAccount) -> None: ...

    @router.get("/admin")
    async def admin(_caller: AdminUser) -> None: ...

    @router.get("/visit/{token}")
    async def visit(_caller: CurrentVisit) -> None: ...

    assert [route.caller for route in routes_of(an_app(router))] == [
        RouteCaller.PUBLIC,
        RouteCaller.USER,
        RouteCaller.USER,
        RouteCaller.ADMIN,
        RouteCaller.VISITOR,
    ]


async def test_every_route_is_listed_with_its_callers(tmp_path: Path) -> None:
    """In ``docs/access.md``: add a new route there, under who may call it, and say why if that is anyone."""
    async with blueprint() as product:
        app = create_app(product.services, routers_of(product.features), web_app=tmp_path)

    declared = {(method, route.path): route.caller for route in routes_of(app) for method in route.methods}

    assert declared == listed_callers()


def test_what_is_beside_the_routes_is_listed_with_the_reason() -> None:
    assert dict(OUTSIDE) == listed_outside()
