"""A running product, the owner of links, and visitors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from metastore.features.auth.identity.roles import Status
from metastore.features.auth.models import User
from metastore.kit.database.unit_of_work import Database
from tests.fixtures.product import Client, Running
from tests.fixtures.stored_films import StoredFilm, store_film

LINKS = "/api/v1/share-links"
_OF_ITEMS = ("download", "content", "thumbnail", "picture", "preview", "stream")
BELOW = ("/items", "/items/{id}", *(f"/items/{{id}}/{route}" for route in _OF_ITEMS))
"""Every route below a link that needs a grant."""
TEXT = b"What only those may read who may download. " * 3000


def public(link: Mapping[str, Any], path: str = "") -> str:
    """Return the URL of a route for visitors of a link."""
    return f"{LINKS}/token/{link['token']}{path}"


@dataclass
class Visitor:
    """Somebody with the URL of a link and a browser of their own."""

    client: Client
    link: Mapping[str, Any]

    async def open(self, password: str | None = None, status: int = 200) -> Any:  # noqa: ANN401  JSON
        """Open the link; return the JSON of the response."""
        return await self.client.json_of("POST", public(self.link, "/access"), status, json={"password": password})

    async def json(self, path: str = "", status: int = 200, **options: Any) -> Any:  # noqa: ANN401  JSON
        """Get what is below the link."""
        return await self.client.json_of("GET", public(self.link, path), status, **options)

    async def problem(self, path: str, status: int, **options: Any) -> str:  # noqa: ANN401  JSON
        """Get a problem from below the link; return its code."""
        return await self.client.problem_of("GET", public(self.link, path), status, **options)

    async def location(self, path: str) -> str:
        """Return where a route below the link redirects to."""
        response = await self.client.get(public(self.link, path))
        assert response.status_code == 302, response.text
        return response.headers["location"]

    async def bytes_of(self, path: str) -> bytes:
        """Return what a route below the link leads to."""
        response = await self.client.get(await self.location(path))
        assert response.status_code == 200, response.text
        return response.content


@dataclass
class SharedDrive:
    """The drive of somebody who shares: a folder ``album`` with a text and a folder in it."""

    running: Running
    owner: Client
    owner_id: str
    visitors: list[Client] = field(default_factory=list)

    @property
    def database(self) -> Database:
        """The product's database."""
        return self.running.product.database

    async def folder(self, name: str, parent: str | None = None) -> str:
        """Create a folder; return its ID."""
        body = {"name": name, "parentId": parent}
        return str((await self.owner.json_of("POST", "/api/v1/folders", 201, json=body))["id"])

    async def upload(self, name: str, content: bytes = TEXT, path: str = "/", kind: str = "text/plain") -> str:
        """Upload a file; return its ID."""
        files = {"file": (name, content, kind)}
        body = await self.owner.json_of("POST", "/api/v1/files/upload", 201, files=files, data={"path": path})
        return str(body["file"]["id"])

    async def film(self, film: StoredFilm) -> str:
        """Add a film; return its ID."""
        return await store_film(self.database, self.running.product.store, self.owner_id, film)

    async def link(self, resource: str, permission: str = "VIEW", **options: object) -> dict[str, Any]:
        """Create a link to a file or folder."""
        body = {"resourceId": resource, "permission": permission, **options}
        link: dict[str, Any] = await self.owner.json_of("POST", LINKS, 201, json=body)
        return link

    async def change(self, link: Mapping[str, Any], **changes: object) -> dict[str, Any]:
        """Change a link."""
        changed: dict[str, Any] = await self.owner.json_of("PATCH", f"{LINKS}/{link['id']}", json=changes)
        return changed

    async def revoke(self, link: Mapping[str, Any]) -> None:
        """Revoke a link."""
        await self.owner.json_of("DELETE", f"{LINKS}/{link['id']}", 204)

    async def shown(self, link: Mapping[str, Any]) -> dict[str, Any]:
        """Return a link as its owner sees it now."""
        found: dict[str, Any] = await self.owner.json_of("GET", f"{LINKS}/{link['id']}")
        return found

    async def accesses(self, link: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return what visitors of a link did, as its owner sees it."""
        found: list[dict[str, Any]] = (await self.owner.json_of("GET", f"{LINKS}/{link['id']}/accesses"))["items"]
        return found

    def visitor(self, link: Mapping[str, Any]) -> Visitor:
        """Return somebody who has a link, and nothing else."""
        client = self.running.client()
        self.visitors.append(client)
        return Visitor(client, link)

    async def opened(self, link: Mapping[str, Any], password: str | None = None) -> Visitor:
        """Return somebody who has opened a link."""
        visitor = self.visitor(link)
        await visitor.open(password)
        return visitor

    async def set_status(self, status: Status) -> None:
        """Suspend the owner, or end that."""
        async with self.database.transaction() as tx:
            (await tx.session.get_one(User, self.owner_id)).status = status
