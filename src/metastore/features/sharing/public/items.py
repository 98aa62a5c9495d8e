"""What a link leads to: lists, items, previews, streams and downloads.

Whatever is requested is found by ``authorize`` for the link's visitors. Responses contain no presigned URLs, which
would outlive the link: they refer to routes below the link's token or a stream's, which ask again, and redirect to a
URL that is valid for seconds. Under VIEW, nothing leads to a file's own bytes.
"""

from pydantic import JsonValue

from metastore.features.files.content.processing import sagas_of
from metastore.features.files.delivery import Delivery
from metastore.features.files.listing import pages
from metastore.features.files.representation.node_urls import NO_URLS, VisitorNodeUrls
from metastore.features.files.representation.serialization import node_json
from metastore.features.files.representation.stream_urls import StreamUrls
from metastore.features.files.schemas import FileOut, FolderOut, FolderQuery
from metastore.features.files.service import FilesService
from metastore.features.files.tree.access import NodeAccess, authorize, authorize_file, authorize_folder
from metastore.features.files.tree.rights import Right
from metastore.features.media.playback.previews import PreviewsService, shows_itself
from metastore.features.media.playback.schemas import PreviewOut, StreamOut
from metastore.features.media.playback.streaming import StreamingService
from metastore.features.sharing.problems import download_not_permitted
from metastore.features.sharing.public.schemas import LinkAccess
from metastore.features.sharing.public.service import Visit, VisitsService
from metastore.features.sharing.schemas import Permission
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.problems.problem import not_found, unless_disk_full

_PATH = "/api/v1/share-links/token/"


class ItemsService:
    """Shows visitors what a link leads to."""

    def __init__(
        self,
        delivery: Delivery,
        files: FilesService,
        streams: StreamUrls,
        streaming: StreamingService,
        previews: PreviewsService,
        visits: VisitsService,
    ) -> None:
        self._delivery = delivery
        self._files = files
        self._streams = streams
        self._streaming = streaming
        self._previews = previews
        self._visits = visits

    async def opened(self, tx: Transaction, visit: Visit) -> LinkAccess:
        """Return what a visitor gets who has opened the link."""
        item = await self.get(tx, visit, visit.link.node_id)
        is_file = isinstance(item, FileOut)
        permission = Permission(visit.link.permission)
        downloads = is_file and permission is Permission.DOWNLOAD
        return LinkAccess(
            permission=permission,
            file=item if isinstance(item, FileOut) else None,
            folder=item if isinstance(item, FolderOut) else None,
            grant=visit.grant.token,
            grant_expires_at=visit.grant.expires_at,
            download_url=self._urls(visit).item_url(item.id, "download") if downloads else None,
            stream_url=item.stream_url if isinstance(item, FileOut) else None,
        )

    async def get(self, tx: Transaction, visit: Visit, item_id: str) -> FileOut | FolderOut:
        """Return a file or folder.

        Raises:
            Problem: 404.
        """
        item = await self._json(tx, visit, await authorize(tx, visit.visitor, item_id, Right.VIEW))
        return (FolderOut if item["kind"] == "folder" else FileOut).model_validate(item)

    async def page(self, tx: Transaction, visit: Visit, query: FolderQuery) -> dict[str, JsonValue]:
        """Return a page of the folder of that ID; without one, of what is shared.

        Raises:
            Problem: 404; 422 ``invalid-cursor``.
        """
        if query.parent_id is None and visit.link.kind == "file":
            item = await self._json(tx, visit, await authorize_file(tx, visit.visitor, visit.link.node_id, Right.VIEW))
            return {"items": [item], "nextCursor": None, "folder": None, "breadcrumb": []}
        access = await authorize_folder(tx, visit.visitor, query.parent_id or visit.link.node_id, Right.LIST)
        page = await pages.folder_page(tx, access, query, self._urls(visit))
        return page if Right.DOWNLOAD in access.rights else page | {"items": _without_checksums(page["items"])}

    async def download(self, database: Database, visit: Visit, item_id: str, *, head: bool = False) -> str:
        """Return a URL of a file's own bytes that is valid for seconds, and record the download.

        Raises:
            Problem: 404; 403 ``download-not-permitted``; 409 ``not-ready`` or ``file-damaged``.
        """
        async with database.reading() as tx:
            file = self._files.downloadable(await _downloads(tx, visit, item_id))
        url = await self._delivery.download_url(file, head=head, lifetime=self._delivery.visitor_ttl)
        if not head:
            with unless_disk_full():  # downloads work all the same; only their record is lost
                async with database.transaction() as tx:
                    self._files.record_download(tx, file)
                    await self._visits.record(tx, visit.link, visit.grant.visitor_id, "download")
        return url

    async def content(self, database: Database, visit: Visit, item_id: str) -> str:
        """Return a URL that shows a file's own bytes within a page, valid for seconds.

        Raises:
            Problem: as for ``download``; 404 if browsers do not show files of that type.
        """
        async with database.reading() as tx:
            file = self._files.downloadable(await _downloads(tx, visit, item_id))
        if not self._previews.is_shown_by_browsers(file.mime_type):
            raise not_found("content")
        return await self._delivery.inline_url(file, self._delivery.visitor_ttl)

    async def thumbnail(self, database: Database, visit: Visit, item_id: str) -> str:
        """Return a URL of a file's thumbnail that is valid for seconds.

        Raises:
            Problem: 404.
        """
        async with database.reading() as tx:
            access = await authorize_file(tx, visit.visitor, item_id, Right.VIEW)
        return await self._picture_url(access.node.thumbnail_key)

    async def picture(self, database: Database, visit: Visit, item_id: str) -> str:
        """Return a URL of a file's preview image that is valid for seconds.

        Raises:
            Problem: 404.
        """
        async with database.reading() as tx:
            access = await authorize_file(tx, visit.visitor, item_id, Right.VIEW)
            key = await self._previews.picture_key(tx, access)
        return await self._picture_url(key)

    async def preview(self, database: Database, visit: Visit, item_id: str) -> PreviewOut:
        """Return what a viewer needs to show a file.

        Raises:
            Problem: 404; 409 ``not-ready`` or ``file-damaged``.
        """
        async with database.reading() as tx:
            access = await authorize_file(tx, visit.visitor, item_id, Right.VIEW)
            found = await self._previews.find(tx, access)
        preview, urls = await self._previews.describe(found), self._urls(visit)
        lifetime = self._streams.lifetime(preview.duration_ms)
        has_url = shows_itself(preview) and Right.DOWNLOAD in access.rights
        has_picture = found.media is not None and found.media.preview_key is not None
        return preview.model_copy(
            update={
                "picture_url": urls.item_url(item_id, "picture") if has_picture else None,
                "url": urls.item_url(item_id, "content") if has_url else None,
                "stream_url": urls.playlist_url(item_id, lifetime) if found.playable else None,
            }
        )

    async def stream(self, database: Database, visit: Visit, item_id: str) -> StreamOut:
        """Return where to stream a file from.

        Raises:
            Problem: 404; 409 ``not-playable``, ``not-ready`` or ``file-damaged``.
        """
        async with database.reading() as tx:
            access = await authorize_file(tx, visit.visitor, item_id, Right.VIEW)
            playable = await self._streaming.find_stream(tx, access)
        poster = self._urls(visit).item_url(item_id, "picture")
        return await self._streaming.stream(playable, visitor=visit.visitor, poster_url=poster)

    def _urls(self, visit: Visit) -> VisitorNodeUrls:
        link = visit.link
        return VisitorNodeUrls(_PATH + visit.token, self._streams, link_id=link.id, link_version=link.version)

    async def _picture_url(self, key: str | None) -> str:
        if key is None:
            raise not_found("picture")
        [url] = await self._delivery.picture_urls([key], self._delivery.visitor_ttl)
        return url

    async def _json(self, tx: Transaction, visit: Visit, access: NodeAccess) -> dict[str, JsonValue]:
        node = access.node
        sagas, urls = await sagas_of(tx, [node]), await self._urls(visit).resolve([node])
        item = node_json(node, node.folder_path, saga=sagas.get(node.id), urls=urls.get(node.id, NO_URLS))
        return item if Right.DOWNLOAD in access.rights else _without_checksum(item)


async def _downloads(tx: Transaction, visit: Visit, item_id: str) -> NodeAccess:
    access = await authorize_file(tx, visit.visitor, item_id, Right.VIEW)
    if Right.DOWNLOAD not in access.rights:
        raise download_not_permitted()
    return access


def _without_checksum(item: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return an item without what tells that its bytes are the same as others."""
    return item if item["kind"] == "folder" else item | {"checksum": None}


def _without_checksums(items: JsonValue) -> list[JsonValue]:
    assert isinstance(items, list)  # noqa: S101  as pages have them
    return [_without_checksum(item) for item in items if isinstance(item, dict)]
