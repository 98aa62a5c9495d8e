"""What makes two requests under one key the same request."""

import hashlib

import orjson
from fastapi import Request
from pydantic import BaseModel
from starlette.datastructures import UploadFile

_CHUNK = 1024 * 1024


async def fingerprint(request: Request, arguments: dict[str, object]) -> str:
    """A digest of method, path, query and content.

    The content is the body's bytes, but of a form what it says (the endpoint's ``arguments``): its bytes change with
    every sending, since browsers draw a new boundary, and a large form is in a file by now.
    """
    digest = hashlib.sha256()
    digest.update(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        digest.update(await request.body())
        return digest.hexdigest()
    for name in sorted(arguments):
        value = arguments[name]
        if isinstance(value, UploadFile):
            digest.update(orjson.dumps([name, value.filename, value.content_type, value.size]))
            await _add_file(digest, value)
        elif isinstance(value, str | int | None | list):
            digest.update(orjson.dumps([name, value], default=str))
        elif isinstance(value, BaseModel):
            digest.update(orjson.dumps([name, value.model_dump_json()]))
    return digest.hexdigest()


async def _add_file(digest: "hashlib._Hash", file: UploadFile) -> None:
    await file.seek(0)
    while chunk := await file.read(_CHUNK):
        digest.update(chunk)
    await file.seek(0)
