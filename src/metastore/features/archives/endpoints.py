"""HTTP endpoints of archives.

The token in the URL of an archive is its only credential, so that browsers and download managers can resume it. A date
is no condition here: what a folder contains can change without a change of any date, so ``If-Modified-Since`` is
ignored, and ``If-Range`` with a date gives the whole archive.
"""

import asyncio
from collections.abc import Mapping
from email.utils import format_datetime
from typing import Annotated

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Message, Send

from metastore.features.archives.schemas import ArchiveIn, ArchiveOut
from metastore.features.archives.service import Archive, ArchivesService
from metastore.features.auth.access import CurrentUser, Public
from metastore.kit.api.conditional_requests import (
    UnsatisfiableRangeError,
    Validators,
    precondition_status,
    requested_range,
)
from metastore.kit.api.dependencies import Transactions, provided
from metastore.kit.api.response_headers import content_disposition
from metastore.kit.api.router import PrefixRouter
from metastore.kit.clock import utc_now
from metastore.kit.problems.problem import Problem, unless_disk_full
from metastore.kit.problems.problem_codes import ProblemCode

router = PrefixRouter(prefix="/api/v1/archives", tags=["archives"])

Archives = Annotated[ArchivesService, provided(ArchivesService)]
_IDLE_SECONDS = 60
"""How long a client may take none of the bytes before its connection is aborted."""


class ArchiveResponse(StreamingResponse):
    """An archive, sent as fast as the client takes it."""

    media_type = "application/zip"

    async def stream_response(self, send: Send) -> None:
        """Send the archive; abort the connection when the client takes nothing of it for a minute."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(_IDLE_SECONDS):
                await send(message)

        await super().stream_response(send_in_time)


@router.post("", status_code=201)
async def create_archive(
    selection: ArchiveIn, caller: CurrentUser, database: Transactions, archives: Archives
) -> ArchiveOut:
    """Return a URL that downloads files and folders as one ZIP file; it can be resumed."""
    archive = await archives.create(caller, selection.ids)
    with unless_disk_full():  # downloads work all the same; only the event is lost
        async with database.transaction() as tx:
            archives.record_download(tx, archive)
    return archives.describe(archive)


@router.head("/{token}", response_class=ArchiveResponse, include_in_schema=False)
@router.get("/{token}", response_class=ArchiveResponse)
async def download_archive(_caller: Public, token: str, request: Request, archives: Archives) -> Response:
    """Download an archive or a range of it. It is made while it is sent."""
    archive = await archives.open(token)
    size, validators = archive.snapshot.size, _validators(archive)
    headers = _conditions(request)
    status = precondition_status(headers, validators)
    if status == 412:
        raise Problem(412, ProblemCode.PRECONDITION_FAILED, "The archive has changed; download it from its beginning.")
    described = _headers(archive, validators)
    if status == 304:
        return Response(status_code=304, headers=described)
    try:
        span = requested_range(headers, size, validators)
    except UnsatisfiableRangeError:
        content_range = {"Content-Range": f"bytes */{size}"}
        message = "The range is beyond the end of the archive."
        raise Problem(416, ProblemCode.INVALID_RANGE, message, headers=content_range) from None
    offset, length = span or (0, size)
    if span:
        described["Content-Range"] = f"bytes {offset}-{offset + length - 1}/{size}"
    described["Content-Length"] = str(length)
    status = 206 if span else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=described, media_type=ArchiveResponse.media_type)
    return ArchiveResponse(archives.stream(archive, offset, length), status, described)


def _conditions(request: Request) -> Mapping[bytes, bytes]:
    headers = {name: value for name, value in request.headers.raw if name in _CONDITIONS}
    if not headers.get(b"if-range", b'"').endswith(b'"'):
        del headers[b"if-range"]
        headers.pop(b"range", None)
    return headers


def _validators(archive: Archive) -> Validators:
    modified_at = (archive.snapshot.modified_at or utc_now()).replace(microsecond=0)
    return Validators(f'"{archive.snapshot.etag}"'.encode(), modified_at)


def _headers(archive: Archive, validators: Validators) -> dict[str, str]:
    return {
        "ETag": validators.etag.decode(),
        "Last-Modified": format_datetime(validators.modified_at, usegmt=True),
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": content_disposition(archive.name),
        # A proxy that buffers would read the whole archive ahead, into a file.
        "X-Accel-Buffering": "no",
    }


_CONDITIONS = frozenset({b"range", b"if-range", b"if-match", b"if-none-match"})
