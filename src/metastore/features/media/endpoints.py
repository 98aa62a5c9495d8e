"""HTTP of streams and previews: ``/api/v1/files/{id}/stream``, ``…/preview`` and what players ask for from there on.

Below ``/api/v1/streams/{token}`` nobody is asked who they are: the token in the path is the permission, so that players
that send no cookies can play, from pages of any origin. It opens one file, for reading, until it expires.
"""

from typing import Annotated

from fastapi import APIRouter, Response

from metastore.features.auth.access import CurrentCaller
from metastore.features.media.previews import PreviewsService
from metastore.features.media.schemas import PreviewOut, StreamOut
from metastore.features.media.streaming import StreamingService
from metastore.kit.http import Transactions, provided

router = APIRouter(prefix="/api/v1", tags=["media"])

Streaming = Annotated[StreamingService, provided(StreamingService)]
Previews = Annotated[PreviewsService, provided(PreviewsService)]


class PlaylistResponse(Response):
    """An HLS playlist (RFC 8216)."""

    media_type = "application/vnd.apple.mpegurl"


class WebVttResponse(Response):
    """Timed text."""

    media_type = "text/vtt"


@router.get("/files/{file_id}/stream")
async def stream(file_id: str, caller: CurrentCaller, database: Transactions, streaming: Streaming) -> StreamOut:
    """Where to play a file from; 409 while it is not playable."""
    async with database.reading() as tx:
        return await streaming.stream(tx, caller.id, file_id)


@router.get("/files/{file_id}/preview")
async def preview(file_id: str, caller: CurrentCaller, database: Transactions, previews: Previews) -> PreviewOut:
    """What it takes to show a file."""
    async with database.reading() as tx:
        wanted = await previews.find(tx, caller.id, file_id)
    return await previews.show(wanted)


@router.get("/streams/{token}/master.m3u8", response_class=PlaylistResponse)
async def master_playlist(token: str, database: Transactions, streaming: Streaming) -> Response:
    """The master playlist: the renditions that can be played, and tracks of sound and subtitles."""
    async with database.reading() as tx:
        return PlaylistResponse(await streaming.master(tx, token))


@router.get("/streams/{token}/thumbnails.vtt", response_class=WebVttResponse)
async def hover_pictures(token: str, database: Transactions, streaming: Streaming) -> Response:
    """Small pictures along the time line, as pieces of one picture."""
    async with database.reading() as tx:
        return WebVttResponse(await streaming.hover_pictures(tx, token))


@router.get("/streams/{token}/subtitles/{subtitles_id}.m3u8", response_class=PlaylistResponse)
async def subtitles_playlist(token: str, subtitles_id: str, database: Transactions, streaming: Streaming) -> Response:
    """A media playlist of one track of subtitles."""
    async with database.reading() as tx:
        return PlaylistResponse(await streaming.subtitles_playlist(tx, token, subtitles_id))


@router.get("/streams/{token}/subtitles/{subtitles_id}.vtt", response_class=WebVttResponse)
async def subtitles(token: str, subtitles_id: str, database: Transactions, streaming: Streaming) -> Response:
    """One track of subtitles."""
    async with database.reading() as tx:
        return WebVttResponse(await streaming.subtitles(tx, token, subtitles_id))


@router.get("/streams/{token}/{rendition}.m3u8", response_class=PlaylistResponse)
async def media_playlist(token: str, rendition: str, database: Transactions, streaming: Streaming) -> Response:
    """The media playlist of one rendition; it grows while the rendition is being made."""
    async with database.reading() as tx:
        return PlaylistResponse(await streaming.media_playlist(tx, token, rendition))
