"""The life of a file, from upload to notification, on every kind of database and object store."""

import asyncio

import httpx

from tests.fixtures.process import MetastoreProcess
from tests.fixtures.waiting import eventually
from tests.reliability.http_uploads import (
    Sending,
    Usage,
    all_items,
    anonymous_client,
    files_of,
    new_user,
    notified_files,
    simple_upload,
    some_bytes,
    usage_of,
)


async def test_a_multipart_upload_is_announced_and_can_be_downloaded(profile: MetastoreProcess) -> None:
    """Parts come in any order, one of them twice and one late; downloads support ranges and HEAD."""
    async with new_user(profile.address) as client:
        sending = await Sending.begin(client, some_bytes(12_345_678), name="phim số 1.mp4", path="/phim/2026")
        await sending.put_all([3, 1, 1])
        assert await usage_of(client) == Usage(0, len(sending.content))
        assert await sending.state() == sending.etags
        refused = await sending.complete()
        assert (refused.status_code, refused.json()["code"], refused.json()["partNumber"]) == (400, "missing-part", 2)
        await sending.put(2)
        response = await sending.complete()
        assert response.status_code == 200, response.text
        file = response.json()["file"]
        assert (file["path"], file["status"], file["size"]) == ("/phim/2026/phim số 1.mp4", "READY", 12_345_678)
        assert (await sending.complete()).json() == response.json()
        await sending.assert_whole()
        assert await usage_of(client) == Usage(len(sending.content), 0)

        location = (await client.get(f"/api/v1/files/{sending.file_id}/download")).headers["location"]
        part = await client.get(location, headers={"Range": "bytes=5242870-5242889"})
        assert (part.status_code, part.content) == (206, sending.content[5242870:5242890])
        # S3 signs the method, so HEAD needs a presigned URL of its own.
        redirect = await client.head(f"/api/v1/files/{sending.file_id}/download")
        assert redirect.status_code == 302

        async def announced() -> bool:
            return await notified_files(client) == {sending.file_id: 1}

        await eventually(announced, interval=0.1, why="the file is announced")


async def test_an_aborted_upload_releases_its_space(profile: MetastoreProcess) -> None:
    """No part can be sent any more, and it cannot be completed."""
    async with new_user(profile.address) as client:
        sending = await Sending.begin(client, some_bytes(6_000_000))
        await sending.put(1)
        assert (await sending.abort()).status_code == 204
        late = await sending.put(2)
        assert 400 <= late.status_code < 500
        assert (await sending.complete()).status_code == 404
        assert await usage_of(client) == Usage(0, 0)
        assert await files_of(client) == {}


async def test_a_small_and_an_empty_file_are_uploaded_in_one_request(profile: MetastoreProcess) -> None:
    """The downloads have the same bytes."""
    async with new_user(profile.address) as client:
        for content in (b"", some_bytes(100_000)):
            response = await simple_upload(client, content)
            assert response.status_code == 201, response.text
            file_id = response.json()["file"]["id"]
            location = (await client.get(f"/api/v1/files/{file_id}/download")).headers["location"]
            assert (await client.get(location)).content == content
        names = sorted(file["name"] for file in (await files_of(client)).values())
        assert names == ["small (1).bin", "small.bin"]
        assert await usage_of(client) == Usage(100_000, 0)


async def test_a_purged_file_frees_its_space_and_its_bytes(profile: MetastoreProcess) -> None:
    """A file in the trash still counts; once purged, its bytes are deleted from the store."""
    async with new_user(profile.address) as client:
        file_id = (await simple_upload(client, some_bytes(1000))).json()["file"]["id"]
        location = (await client.get(f"/api/v1/files/{file_id}/download")).headers["location"]
        assert (await client.delete(f"/api/v1/files/{file_id}")).status_code == 204
        assert await usage_of(client) == Usage(1000, 0)
        assert (await client.delete(f"/api/v1/trash/{file_id}")).status_code == 204
        assert await usage_of(client) == Usage(0, 0)

        async def gone() -> bool:
            return (await client.get(location)).status_code == 404

        await eventually(gone, interval=0.1, why="the bytes are deleted")


async def test_a_part_of_wrong_length_or_with_a_changed_url_is_refused(profile: MetastoreProcess) -> None:
    """The response is a 4xx or a closed connection, and nothing is stored."""
    async with new_user(profile.address) as client, anonymous_client(profile.address) as anonymous:
        sending = await Sending.begin(client, some_bytes(6_000_000))
        url = sending.urls[1]
        length = len(sending.bytes_of(2))
        tampered = [url.replace("=2&", "=1&"), url[:-1] + ("a" if url[-1] != "a" else "b"), url.split("?")[0]]
        attempts = [(url, length - 1), (url, length + 1), (url, 0), *((changed, length) for changed in tampered)]
        for address, size in attempts:
            response = await _put(anonymous, address, some_bytes(size))
            assert response is None or 400 <= response.status_code < 500, f"{address} {size}: {response}"
        assert await sending.state() == {}
        for method in ("POST", "DELETE", "PATCH"):
            assert 400 <= (await anonymous.request(method, url)).status_code < 500
        assert (await sending.put(2)).status_code == 200


async def test_another_user_sees_nothing_of_an_upload(profile: MetastoreProcess) -> None:
    """The responses are those for an upload that does not exist."""
    async with new_user(profile.address) as client, new_user(profile.address) as other:
        sending = await Sending.begin(client, some_bytes(10))
        await sending.put_all()
        theirs = Sending(other, b"", sending.file_id, sending.upload_id, 1, [], sending.etags)
        responses = await asyncio.gather(
            theirs.complete(),
            theirs.abort(),
            other.get(f"/api/v1/files/chunked-upload/{sending.upload_id}"),
            other.get(f"/api/v1/files/{sending.file_id}"),
            other.get(f"/api/v1/files/{sending.file_id}/download"),
        )
        assert [response.status_code for response in responses] == [404] * 5
        assert await all_items(other, "/api/v1/files") == []
        assert await all_items(other, "/api/v1/files/chunked-upload") == []
        assert (await sending.complete()).status_code == 200


async def _put(client: httpx.AsyncClient, url: str, content: bytes) -> httpx.Response | None:
    """Return the response, or ``None`` if the server closed the connection."""
    try:
        return await client.put(url, content=content)
    except httpx.TransportError:
        return None
