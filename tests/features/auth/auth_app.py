"""The HTTP application with only the services of accounts and sessions, and browsers as its clients."""

from dataclasses import dataclass

import httpx
from fastapi import FastAPI
from sqlalchemy import select, update

from metastore.adapters.rate_limiter.memory import MemoryRateLimiter
from metastore.entrypoints.http import create_app
from metastore.entrypoints.middleware import RequestMiddleware
from metastore.features.audit.service import AuditService
from metastore.features.auth.access import AdminUser
from metastore.features.auth.accounts.service import AccountsService, NewUsers
from metastore.features.auth.credentials.throttling import AuthLimits
from metastore.features.auth.endpoints import router as auth_router
from metastore.features.auth.models import Session, User
from metastore.features.auth.service import AuthService
from metastore.features.auth.sessions.cookies import SessionCookies
from metastore.features.auth.sessions.tokens import Tokens
from metastore.kit.database.unit_of_work import Database
from metastore.kit.events.outbox import OutboxEvent
from metastore.kit.idempotency.checkpoints import IdempotencyKeys
from metastore.kit.services import Services
from tests.fixtures.clocks import SettableClock
from tests.fixtures.passwords import CountingHasher

SECRET = b"a secret key that only tests may know"
PASSWORD = "correct horse battery"
API = "/api/v1/auth"


@dataclass(frozen=True)
class Event:
    """An event from the outbox, as consumers receive it."""

    type: str
    aggregate: str
    payload: dict[str, object]
    headers: dict[str, str]


class AuthApp:
    """The application and its database, with shorthands for common requests."""

    def __init__(
        self,
        database: Database,
        *,
        secure: bool = False,
        registration_open: bool = True,
        limits: AuthLimits | None = None,
    ) -> None:
        self.database = database
        self.clock = SettableClock()
        self.hasher = CountingHasher()
        self.cookies = SessionCookies(secure=secure)
        self.tokens = Tokens(SECRET, clock=self.clock)
        limiter = MemoryRateLimiter()
        new_users = NewUsers("FREE", 1000, registration_open)
        self.accounts = AccountsService(
            hasher=self.hasher, limiter=limiter, new_users=new_users, limits=limits, clock=self.clock
        )
        self.auth = AuthService(
            tokens=self.tokens, hasher=self.hasher, limiter=limiter, limits=limits, clock=self.clock
        )
        self._scheme = "https" if secure else "http"
        self._clients: list[httpx.AsyncClient] = []
        self._app = RequestMiddleware(self._build())

    def _build(self) -> FastAPI:
        services = Services()
        keys = IdempotencyKeys(self.database)
        for service in (self.database, keys, self.accounts, self.auth, self.cookies, AuditService()):
            services.add(service)
        app = create_app(services, [auth_router])

        @app.get("/admins-only")
        async def admins_only(caller: AdminUser) -> str:
            return caller.username

        return app

    def browser(self, *, address: str = "192.0.2.1", user_agent: str = "Browser/1.0") -> httpx.AsyncClient:
        """Return a browser without cookies that connects from ``address``."""
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self._app, client=(address, 50_000)),
            base_url=f"{self._scheme}://drive.example.org",
            headers={"User-Agent": user_agent},
        )
        self._clients.append(client)
        return client

    async def register(self, name: str = "mai", password: str = PASSWORD) -> dict[str, str]:
        """Register an account and return the user in the response."""
        body = {"username": name, "email": f"{name}@example.org", "password": password}
        response = await self.browser().post(f"{API}/register", json=body)
        assert response.status_code == 201, response.text
        user: dict[str, str] = response.json()["user"]
        return user

    async def signed_in(self, name: str = "mai", *, address: str = "192.0.2.1") -> httpx.AsyncClient:
        """Return a browser signed in to an existing account."""
        browser = self.browser(address=address)
        response = await browser.post(f"{API}/login", json={"username": name, "password": PASSWORD})
        assert response.status_code == 200, response.text
        return browser

    async def register_and_sign_in(self, name: str = "mai") -> httpx.AsyncClient:
        """Return a browser signed in to a new account."""
        await self.register(name)
        return await self.signed_in(name)

    def browser_with(self, tokens: dict[str, str]) -> httpx.AsyncClient:
        """Return a browser with these cookies, stored as if the server had set them."""
        browser = self.browser()
        for name, value in tokens.items():
            path = "/api" if name == self.cookies.refresh_name else "/"
            browser.cookies.set(name, value, domain="drive.example.org", path=path)
        return browser

    async def set(self, name: str, **values: object) -> None:
        """Change columns of an account directly in the database."""
        async with self.database.transaction() as tx:
            await tx.session.execute(update(User).where(User.username == name).values(**values))

    async def user(self, name: str = "mai") -> User:
        """Return the row of the account."""
        async with self.database.reading() as tx:
            return (await tx.session.execute(select(User).where(User.username == name))).scalar_one()

    async def session_rows(self) -> list[Session]:
        """Return all sessions, oldest first."""
        async with self.database.reading() as tx:
            return list(await tx.session.scalars(select(Session).order_by(Session.id)))

    async def events(self, *types: str) -> list[Event]:
        """Return the recorded events of these types, in order."""
        async with self.database.reading() as tx:
            rows = await tx.session.scalars(select(OutboxEvent).order_by(OutboxEvent.id))
            found = [Event(row.event_type, row.aggregate, dict(row.payload), dict(row.headers)) for row in rows]
        return [event for event in found if not types or event.type in types]

    async def aclose(self) -> None:
        """Close the browsers."""
        for client in self._clients:
            await client.aclose()


def code_of(response: httpx.Response) -> tuple[int, str]:
    """Return the status and the problem code of a response."""
    return response.status_code, response.json()["code"]
