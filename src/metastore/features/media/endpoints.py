"""HTTP of streams and previews: ``/api/v1/files/{id}/stream``, ``…/preview`` and what players ask for from there on.

Below ``/api/v1/streams/{token}`` nobody is asked who they are: the token in the path is the permission, so that players
that send no cookies can play, from pages of any origin. It opens one file, for reading, until it expires.
"""

import asyncio
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Request, Response

from metastore.features.auth.access import CurrentCaller
from metastore.features.media.previews import PreviewsService
from metastore.features.media.schemas import PreviewOut, StreamOut
from metastore.features.media.streaming import StreamingService, Written
from metastore.kit.http import Transactions, provided
from metastore.kit.problem import Problem

router = APIRouter(prefix="/api/v1", tags=["media"])

Streaming = Annotated[StreamingService, provided(StreamingService)]
Previews = Annotated[PreviewsService, provided(PreviewsService)]

# No credentials are involved, and the token is in the address: any page that has it may read what is there.
_SHARED = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT = {
    **_SHARED,
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}
_WORTH_PACKING = 4096
"""Characters."""


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
        film = await streaming.find_stream(tx, caller.id, file_id)
    return await streaming.stream(film)


@router.get("/files/{file_id}/preview")
async def preview(file_id: str, caller: CurrentCaller, database: Transactions, previews: Previews) -> PreviewOut:
    """What it takes to show a file."""
    async with database.reading() as tx:
        wanted = await previews.find(tx, caller.id, file_id)
    return await previews.show(wanted)


@router.head("/streams/{token}/master.m3u8", response_class=PlaylistResponse, include_in_schema=False)
@router.get("/streams/{token}/master.m3u8", response_class=PlaylistResponse)
async def master_playlist(token: str, request: Request, database: Transactions, streaming: Streaming) -> Response:
    """The master playlist: the renditions that can be played, and tracks of sound and subtitles."""
    with _for_any_page():
        async with database.reading() as tx:
            film = await streaming.find_master(tx, token)
        return await _answer(PlaylistResponse, streaming.master(film), request)


@router.head("/streams/{token}/thumbnails.vtt", response_class=WebVttResponse, include_in_schema=False)
@router.get("/streams/{token}/thumbnails.vtt", response_class=WebVttResponse)
async def hover_pictures(token: str, request: Request, database: Transactions, streaming: Streaming) -> Response:
    """Small pictures along the time line, as pieces of one picture."""
    with _for_any_page():
        async with database.reading() as tx:
            media = await streaming.find_hover_pictures(tx, token)
        return await _answer(WebVttResponse, await streaming.hover_pictures(media), request)


@router.head("/streams/{token}/subtitles/{subtitles_id}.m3u8", response_class=PlaylistResponse, include_in_schema=False)
@router.get("/streams/{token}/subtitles/{subtitles_id}.m3u8", response_class=PlaylistResponse)
async def subtitles_playlist(
    token: str, subtitles_id: str, request: Request, database: Transactions, streaming: Streaming
) -> Response:
    """A media playlist of one track of subtitles."""
    with _for_any_page():
        async with database.reading() as tx:
            track, media = await streaming.find_subtitles(tx, token, subtitles_id)
        return await _answer(PlaylistResponse, streaming.subtitles_playlist(track, media), request)


@router.head("/streams/{token}/subtitles/{subtitles_id}.vtt", response_class=WebVttResponse, include_in_schema=False)
@router.get("/streams/{token}/subtitles/{subtitles_id}.vtt", response_class=WebVttResponse)
async def subtitles(
    token: str, subtitles_id: str, request: Request, database: Transactions, streaming: Streaming
) -> Response:
    """One track of subtitles."""
    with _for_any_page():
        async with database.reading() as tx:
            track, _ = await streaming.find_subtitles(tx, token, subtitles_id)
        return await _answer(WebVttResponse, await streaming.subtitles(track), request)


@router.head("/streams/{token}/{rendition}.m3u8", response_class=PlaylistResponse, include_in_schema=False)
@router.get("/streams/{token}/{rendition}.m3u8", response_class=PlaylistResponse)
async def media_playlist(
    token: str, rendition: str, request: Request, database: Transactions, streaming: Streaming
) -> Response:
    """The media playlist of one rendition; it grows while the rendition is being made."""
    with _for_any_page():
        async with database.reading() as tx:
            strip = await streaming.find_media(tx, token, rendition)
        return await _answer(PlaylistResponse, await streaming.media(strip), request)


@router.options("/streams/{token}/{rest:path}", include_in_schema=False)
async def preflight() -> Response:
    """What a browser asks before a page's player sends headers of its own."""
    return Response(status_code=204, headers=_PREFLIGHT)


@contextmanager
def _for_any_page() -> Iterator[None]:
    """Let pages of any origin see refusals as well."""
    try:
        yield
    except Problem as problem:
        problem.headers.update(_SHARED)
        raise


async def _answer(kind: type[Response], written: Written, request: Request) -> Response:
    keeping = f"private, max-age={written.keep_seconds}" if written.keep_seconds else "no-store"
    headers = {**_SHARED, "Cache-Control": keeping}
    body = written.text.encode()
    if len(body) >= _WORTH_PACKING:
        headers["Vary"] = "Accept-Encoding"
        if "gzip" in request.headers.get("accept-encoding", ""):
            body = await asyncio.to_thread(gzip.compress, body, 1)
            headers["Content-Encoding"] = "gzip"
    return kind(body, headers=headers)
