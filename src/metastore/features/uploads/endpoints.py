"""HTTP endpoints of uploads."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, TypeVar

import orjson
from fastapi import Depends, Form, Query, Request, Response, UploadFile
from fastapi import File as FormFile
from pydantic import JsonValue, ValidationError

from metastore.features.auth.access import CurrentUser
from metastore.features.files.tree.access import own_tree
from metastore.features.uploads.multipart.listing import UnfinishedUploads
from metastore.features.uploads.schemas import (
    BatchOut,
    CompleteIn,
    InitiateIn,
    InitiateOut,
    UnfinishedUpload,
    UploadedFileOut,
    UploadOut,
)
from metastore.features.uploads.service import UploadsService
from metastore.features.uploads.whole.batch_form import BatchForm, ReceivedPart, parse_batch_form
from metastore.features.uploads.whole.service import Outcome, WholeFile, WholeUploads
from metastore.kit.api.dependencies import provided
from metastore.kit.api.paging import Limit, Page
from metastore.kit.api.router import PrefixRouter
from metastore.kit.context import absolute
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.idempotency.route import (
    HEADER,
    IdempotentRoute,
    repeatable,
    store_json,
    store_response,
)
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.ports.object_store import CompletedPart

MAX_BATCH_BYTES = 64 * 2**20
"""The limit on the whole request of a batch."""
_BATCH_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "path": {"type": "string", "default": "/"},
                    "file": {"type": "array", "maxItems": 200, "items": {"type": "string", "format": "binary"}},
                },
            }
        }
    },
}

router = PrefixRouter(prefix="/api/v1/files", tags=["uploads"], route_class=IdempotentRoute)

UploadResponse = TypeVar("UploadResponse", bound=InitiateOut)
Uploads = Annotated[UploadsService, provided(UploadsService)]
Whole = Annotated[WholeUploads, provided(WholeUploads)]


@router.post("/chunked-upload/initiate", status_code=201)
async def initiate(body: InitiateIn, caller: CurrentUser, uploads: Uploads) -> InitiateOut:
    """Reserve space for a file and get the URLs to PUT its parts to."""
    return _with_absolute_urls(await uploads.initiate(own_tree(caller), body))


@router.get("/chunked-upload")
async def list_unfinished(
    caller: CurrentUser,
    unfinished: Annotated[UnfinishedUploads, provided(UnfinishedUploads)],
    limit: Annotated[Limit, Query()] = 50,
    cursor: str | None = None,
) -> Page[UnfinishedUpload]:
    """List the caller's unfinished uploads, latest first."""
    return await unfinished.page(caller, limit=limit, cursor=cursor)


@router.post("/chunked-upload/complete")
@repeatable
async def complete(body: CompleteIn, caller: CurrentUser, uploads: Uploads) -> UploadedFileOut:
    """Turn the parts into the file."""
    parts = [CompletedPart(part.part_number, part.etag) for part in body.parts]
    return UploadedFileOut(file=await uploads.complete(caller, body.file_id, body.upload_id, parts))


@router.get("/chunked-upload/{upload_id}")
async def resume(upload_id: str, caller: CurrentUser, uploads: Uploads) -> UploadOut:
    """Get the parts received so far and new URLs, to continue an upload."""
    return _with_absolute_urls(await uploads.resume(caller, upload_id))


@router.delete("/chunked-upload/{upload_id}", status_code=204)
async def abort(upload_id: str, caller: CurrentUser, uploads: Uploads) -> None:
    """Abort an upload and release its bytes and reservation."""
    await uploads.abort(caller, upload_id)


@router.post("/upload", status_code=201)
async def upload_whole(
    caller: CurrentUser,
    whole: Whole,
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
    sent = WholeFile(request.path, request.name, request.mime_type, _Uploaded(file), request.visibility)

    async def respond(tx: Transaction, outcomes: Sequence[Outcome]) -> None:
        await store_response(tx, UploadedFileOut.model_validate({"file": outcomes[0]}), status=201)

    return UploadedFileOut.model_validate({"file": await whole.store_one(own_tree(caller), sent, respond)})


async def _batch_form(request: Request, _caller: CurrentUser) -> AsyncIterator[BatchForm]:
    content_type, keyed = request.headers.get("content-type", ""), HEADER in request.headers
    form = await parse_batch_form(content_type, request.stream(), MAX_BATCH_BYTES, hashed=keyed)
    try:
        yield form
    finally:
        form.close()


@router.post("/upload-batch", response_model=BatchOut, openapi_extra={"requestBody": _BATCH_BODY})
async def upload_batch(caller: CurrentUser, whole: Whole, form: Annotated[BatchForm, Depends(_batch_form)]) -> Response:
    """Upload up to 200 small files in one request of at most 64 MiB. Each succeeds or fails by itself.

    The filename of a part ``file`` is its path below the folder ``path``; missing folders are created. A quotation mark
    in it is sent as ``%22``.
    """

    def body_of(outcomes: Sequence[Outcome]) -> bytes:
        return orjson.dumps({"items": list(map(_item, form.parts, outcomes))})

    async def respond(tx: Transaction, outcomes: Sequence[Outcome]) -> None:
        await store_json(tx, body_of(outcomes))

    return Response(
        body_of(await whole.store_batch(own_tree(caller), form.files, respond)), media_type="application/json"
    )


def _item(part: ReceivedPart, outcome: Outcome) -> dict[str, JsonValue]:
    # A name that is not UTF-8 is refused, and shown with question marks.
    name = part.filename.encode(errors="replace").decode()
    if isinstance(outcome, Problem):
        return {"name": name, "problem": outcome.body("/api/v1/files/upload-batch")}
    return {"name": name, "file": outcome}


def _with_absolute_urls(response: UploadResponse) -> UploadResponse:
    return response.model_copy(update={"upload_urls": [absolute(url) for url in response.upload_urls]})


class _Uploaded:
    """The ``Content`` of a file in a form that FastAPI has parsed."""

    def __init__(self, file: UploadFile) -> None:
        self._file = file
        self.size = file.size or 0

    async def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``."""
        await self._file.seek(offset)
        return await self._file.read(length)
