"""HTTP endpoints of uploads."""

from collections.abc import AsyncIterator
from typing import Annotated, TypeVar

from fastapi import APIRouter, Form, Query, UploadFile
from fastapi import File as FormFile
from pydantic import JsonValue, ValidationError

from metastore.features.auth.access import CurrentCaller
from metastore.features.uploads.multipart.listing import UnfinishedUploads
from metastore.features.uploads.schemas import (
    CompleteIn,
    InitiateIn,
    InitiateOut,
    UnfinishedUpload,
    UploadedFileOut,
    UploadOut,
)
from metastore.features.uploads.service import UploadsService
from metastore.features.uploads.whole import WholeUploads
from metastore.kit.api.dependencies import provided
from metastore.kit.api.paging import Limit, Page
from metastore.kit.context import absolute
from metastore.kit.idempotency.route import IdempotentRoute, repeatable
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.ports.object_store import CompletedPart

_CHUNK = 256 * 1024

router = APIRouter(prefix="/api/v1/files", tags=["uploads"], route_class=IdempotentRoute)

UploadResponse = TypeVar("UploadResponse", bound=InitiateOut)
Uploads = Annotated[UploadsService, provided(UploadsService)]


@router.post("/chunked-upload/initiate", status_code=201)
async def initiate(body: InitiateIn, caller: CurrentCaller, uploads: Uploads) -> InitiateOut:
    """Reserve space for a file and get the URLs to PUT its parts to."""
    return _with_absolute_urls(await uploads.initiate(caller.id, body))


@router.get("/chunked-upload")
async def list_unfinished(
    caller: CurrentCaller,
    unfinished: Annotated[UnfinishedUploads, provided(UnfinishedUploads)],
    limit: Annotated[Limit, Query()] = 50,
    cursor: str | None = None,
) -> Page[UnfinishedUpload]:
    """List the caller's unfinished uploads, latest first."""
    return await unfinished.page(caller.id, limit=limit, cursor=cursor)


@router.post("/chunked-upload/complete")
@repeatable
async def complete(body: CompleteIn, caller: CurrentCaller, uploads: Uploads) -> UploadedFileOut:
    """Turn the parts into the file."""
    parts = [CompletedPart(part.part_number, part.etag) for part in body.parts]
    return UploadedFileOut(file=await uploads.complete(caller.id, body.file_id, body.upload_id, parts))


@router.get("/chunked-upload/{upload_id}")
async def resume(upload_id: str, caller: CurrentCaller, uploads: Uploads) -> UploadOut:
    """Get the parts received so far and new URLs, to continue an upload."""
    return _with_absolute_urls(await uploads.resume(caller.id, upload_id))


@router.delete("/chunked-upload/{upload_id}", status_code=204)
async def abort(upload_id: str, caller: CurrentCaller, uploads: Uploads) -> None:
    """Abort an upload and release its bytes and reservation."""
    await uploads.abort(caller.id, upload_id)


@router.post("/upload", status_code=201)
async def upload_whole(
    caller: CurrentCaller,
    whole: Annotated[WholeUploads, provided(WholeUploads)],
    file: Annotated[UploadFile, FormFile()],
    path: Annotated[str, Form()] = "/",
    visibility: Annotated[str, Form()] = "PRIVATE",
) -> UploadedFileOut:
    """Upload a small file in one request."""
    try:
        request = InitiateIn.model_validate(
            {
                "name": file.filename or "",
                "path": path,
                "size": file.size or 0,
                "mimeType": file.content_type or "application/octet-stream",
                "visibility": visibility,
            }
        )
    except ValidationError as error:
        fields: list[JsonValue] = [{"field": str(e["loc"][0]), "message": e["msg"]} for e in error.errors()]
        raise Problem(422, ProblemCode.VALIDATION_FAILED, "The form is invalid.", errors=fields) from None
    return UploadedFileOut(file=await whole.store(caller.id, request, _chunks(file)))


def _with_absolute_urls(response: UploadResponse) -> UploadResponse:
    return response.model_copy(update={"upload_urls": [absolute(url) for url in response.upload_urls]})


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(_CHUNK):
        yield chunk
