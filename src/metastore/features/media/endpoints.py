"""HTTP endpoints of streams and previews.

``/api/v1/files/{id}/stream`` and ``…/preview`` require a session. Below ``/api/v1/streams/{token}`` the token in the
path is the only credential, so that players that send no cookies can play from pages of any origin. A token grants
read access to one file until it expires.
"""

import asyncio
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypedDict

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from metastore.features.auth.access import CurrentUser, Public
from metastore.features.files.tree.access import authorize_file
from metastore.features.files.tree.rights import Right
from metastore.features.media.playback.previews import PreviewsService
from metastore.features.media.playback.schemas import PreviewOut, StreamOut
from metastore.features.media.playback.streaming import CacheableText, StreamingService
from metastore.kit.api.dependencies import Transactions, provided
from metastore.kit.api.router import PrefixRouter
from metastore.kit.problems.problem import Problem

router = PrefixRouter(prefix="/api/v1", tags=["media"])

Streaming = Annotated[StreamingService, provided(StreamingService)]
Previews = Annotated[PreviewsService, provided(PreviewsService)]

# No cookies are involved and the token is in the URL: any page that knows it may read the response.
_CORS = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT = {
    **_CORS,
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}
_REDIRECT_HEADERS = {**_CORS, "Cache-Control": "no-store"}


class _Redirecting(TypedDict):
    status_code: int
    response_class: type[Response]
    responses: dict[int | str, dict[str, Any]]


_REDIRECTING: _Redirecting = {
    "status_code": 302,
    "response_class": RedirectResponse,
    "responses": {302: {"description": "Redirect to a presigned URL that is valid for seconds."}},
}
_MIN_GZIP_SIZE = 4096
"""Bytes."""


class PlaylistResponse(Response):
    """An HLS playlist (RFC 8216)."""

    media_type = "application/vnd.apple.mpegurl"


class WebVttResponse(Response):
    """A WebVTT file."""

    media_type = "text/vtt"


@router.get("/files/{file_id}/stream")
async def stream(file_id: str, caller: CurrentUser, database: Transactions, streaming: Streaming) -> StreamOut:
    """Return where to stream a file from; 409 while it is not playable."""
    async with database.reading() as tx:
        playable = await streaming.find_stream(tx, await authorize_file(tx, caller, file_id, Right.VIEW))
    return await streaming.stream(playable)


@router.get("/files/{file_id}/preview")
async def preview(file_id: str, caller: CurrentUser, database: Transactions, previews: Previews) -> PreviewOut:
    """Return what a viewer needs to show a file."""
    async with database.reading() as tx:
        found = await previews.find(tx, await authorize_file(tx, caller, file_id, Right.VIEW))
    return await previews.preview(found)


@router.head("/streams/{token}/master.m3u8", response_class=PlaylistResponse, include_in_schema=False)
@router.get("/streams/{token}/master.m3u8", response_class=PlaylistResponse)
async def master_playlist(
    _caller: Public, token: str, request: Request, database: Transactions, streaming: Streaming
) -> Response:
    """Return the master playlist: the playable renditions, with the audio and subtitle tracks."""
    with _cors_problems():
        async with database.reading() as tx:
            playable = await streaming.find_master(tx, token)
        return await _respond(PlaylistResponse, streaming.master(playable), request)


@router.head("/streams/{token}/thumbnails.vtt", response_class=WebVttResponse, include_in_schema=False)
@router.get("/streams/{token}/thumbnails.vtt", response_class=WebVttResponse)
async def sprite(
    _caller: Public, token: str, request: Request, database: Transactions, streaming: Streaming
) -> Response:
    """Return the WebVTT file that maps times to regions of the sprite."""
    with _cors_problems():
        async with database.reading() as tx:
            media, redirects = await streaming.find_sprite(tx, token)
        return await _respond(WebVttResponse, await streaming.sprite(media, redirects=redirects), request)


@router.head("/streams/{token}/sprite.webp", include_in_schema=False, **_REDIRECTING)
@router.get("/streams/{token}/sprite.webp", **_REDIRECTING)
async def sprite_image(_caller: Public, token: str, database: Transactions, streaming: Streaming) -> RedirectResponse:
    """Redirect to the sprite, for visitors of a share link."""
    with _cors_problems():
        async with database.reading() as tx:
            key = await streaming.find_sprite_image(tx, token)
        return RedirectResponse(await streaming.sprite_image_url(key), 302, _REDIRECT_HEADERS)


@router.head("/streams/{token}/subtitles/{subtitles_id}.m3u8", response_class=PlaylistResponse, include_in_schema=False)
@router.get("/streams/{token}/subtitles/{subtitles_id}.m3u8", response_class=PlaylistResponse)
async def subtitles_playlist(
    _caller: Public, token: str, subtitles_id: str, request: Request, database: Transactions, streaming: Streaming
) -> Response:
    """Return the media playlist of a subtitle track."""
    with _cors_problems():
        async with database.reading() as tx:
            track, media = await streaming.find_subtitles(tx, token, subtitles_id)
        return await _respond(PlaylistResponse, streaming.subtitles_playlist(track, media), request)


@router.head("/streams/{token}/subtitles/{subtitles_id}.vtt", response_class=WebVttResponse, include_in_schema=False)
@router.get("/streams/{token}/subtitles/{subtitles_id}.vtt", response_class=WebVttResponse)
async def subtitles(
    _caller: Public, token: str, subtitles_id: str, request: Request, database: Transactions, streaming: Streaming
) -> Response:
    """Return a subtitle track as WebVTT."""
    with _cors_problems():
        async with database.reading() as tx:
            track, _ = await streaming.find_subtitles(tx, token, subtitles_id)
        return await _respond(WebVttResponse, await streaming.subtitles(track), request)


@router.head("/streams/{token}/{rendition}.m3u8", response_class=PlaylistResponse, include_in_schema=False)
@router.get("/streams/{token}/{rendition}.m3u8", response_class=PlaylistResponse)
async def media_playlist(
    _caller: Public, token: str, rendition: str, request: Request, database: Transactions, streaming: Streaming
) -> Response:
    """Return the media playlist of a rendition; it grows while the rendition is being created."""
    with _cors_problems():
        async with database.reading() as tx:
            found = await streaming.find_media(tx, token, rendition)
        return await _respond(PlaylistResponse, await streaming.media(found), request)


@router.head("/streams/{token}/{rendition}/{segment}", include_in_schema=False, **_REDIRECTING)
@router.get("/streams/{token}/{rendition}/{segment}", **_REDIRECTING)
async def segment(
    _caller: Public, token: str, rendition: str, segment: str, database: Transactions, streaming: Streaming
) -> RedirectResponse:
    """Redirect to a segment of a rendition, for visitors of a share link."""
    with _cors_problems():
        async with database.reading() as tx:
            key, content_type = await streaming.find_segment(tx, token, rendition, segment)
        return RedirectResponse(await streaming.segment_url(key, content_type), 302, _REDIRECT_HEADERS)


@router.options("/streams/{token}/{rest:path}", include_in_schema=False)
async def preflight(_caller: Public) -> Response:
    """Allow players to send request headers of their own (a CORS preflight)."""
    return Response(status_code=204, headers=_PREFLIGHT)


@contextmanager
def _cors_problems() -> Iterator[None]:
    """Let pages of any origin read problem responses as well."""
    try:
        yield
    except Problem as problem:
        problem.headers.update(_CORS)
        raise


async def _respond(kind: type[Response], content: CacheableText, request: Request) -> Response:
    cache_control = f"private, max-age={content.max_age}" if content.max_age else "no-store"
    headers = {**_CORS, "Cache-Control": cache_control}
    body = content.text.encode()
    if len(body) >= _MIN_GZIP_SIZE:
        headers["Vary"] = "Accept-Encoding"
        if "gzip" in request.headers.get("accept-encoding", ""):
            body = await asyncio.to_thread(gzip.compress, body, 1)
            headers["Content-Encoding"] = "gzip"
    return kind(body, headers=headers)
