import httpx
import pytest

from metastore.client.errors import TransferError
from metastore.client.retries import RetryPolicy, TransientError, raise_if_transient


async def test_transient_errors_are_retried_and_reported() -> None:
    reported: list[str] = []
    faults = [TransientError("busy"), httpx.ReadError("cut")]

    async def attempt() -> str:
        if faults:
            raise faults.pop(0)
        return "done"

    assert await RetryPolicy(10, reported.append).run(attempt) == "done"
    assert reported == ["busy", "The connection failed: cut"]


async def test_the_last_error_is_raised_after_the_time_limit() -> None:
    async def attempt() -> None:
        raise TransientError("busy", after=60)

    with pytest.raises(TransferError, match="busy"):
        await RetryPolicy(1).run(attempt)


@pytest.mark.parametrize("status", [200, 404, 501, 507])
def test_other_responses_are_not_transient(status: int) -> None:
    raise_if_transient(httpx.Response(status))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_some_statuses_are_transient(status: int) -> None:
    with pytest.raises(TransientError):
        raise_if_transient(httpx.Response(status, headers={"Retry-After": "3"}))
