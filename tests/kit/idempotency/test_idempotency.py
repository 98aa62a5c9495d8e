"""Requests with the same idempotency key take effect once."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from fastapi import APIRouter
from sqlalchemy import func, select

from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Database
from metastore.kit.idempotency.claims import IdempotencyKey, end_leases, prune
from metastore.kit.idempotency.route import IdempotentRoute
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode
from tests.kit.idempotency.idempotent_app import IdempotentApp


@pytest.fixture
def app(database: Database) -> IdempotentApp:
    """The application, on each database."""
    return IdempotentApp(database)


def outcome(response: httpx.Response) -> tuple[int, str]:
    """Return status and problem code of a response."""
    return response.status_code, response.json()["code"]


async def test_without_a_key_every_request_has_its_effect(app: IdempotentApp) -> None:
    """Nothing changes for clients that send no key."""
    for _ in range(2):
        assert (await app.post(key=None)).status_code == 201
    assert await app.effects() == 2


async def test_a_repeated_request_has_one_effect_and_gets_the_same_response(app: IdempotentApp) -> None:
    """Status, body and headers are replayed, but no cookie. The replay is marked."""
    first, again, once_more = [await app.post() for _ in range(3)]
    assert await app.effects() == 1
    assert "idempotency-replayed" not in first.headers
    for replay in (again, once_more):
        assert replay.headers["idempotency-replayed"] == "true"
        assert (replay.status_code, replay.content) == (201, first.content)
        assert replay.headers["location"] == "/orders/0"
        assert replay.headers["content-type"] == first.headers["content-type"]
        assert "set-cookie" not in replay.headers


async def test_an_empty_response_is_replayed(app: IdempotentApp) -> None:
    """204 stays 204."""
    responses = [await app.post("/empty", content=b"") for _ in range(2)]
    assert [(response.status_code, response.content) for response in responses] == [(204, b"")] * 2
    assert await app.effects() == 1


async def test_responses_survive_a_restart(app: IdempotentApp) -> None:
    """Another process on the same database replays them."""
    await app.post()
    assert (await IdempotentApp(app.database).post()).headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    ("path", "item"), [("/orders", "blue"), ("/repeatable-orders", "red"), ("/orders?twice=yes", "red")]
)
async def test_a_key_used_for_another_request_is_rejected(app: IdempotentApp, path: str, item: str) -> None:
    """422 for another body, another path or another query."""
    await app.post()
    assert outcome(await app.post(path, json={"item": item})) == (422, "idempotency-key-reused")
    assert await app.effects() == 1


async def test_users_and_addresses_have_their_own_keys(app: IdempotentApp) -> None:
    """Nobody gets another user's response."""
    for user, address in (("mai", "192.0.2.1"), ("lan", "192.0.2.1"), (None, "192.0.2.1"), (None, "192.0.2.2")):
        response = await app.post(user=user, address=address)
        assert "idempotency-replayed" not in response.headers
    assert await app.effects() == 4


@pytest.mark.parametrize("key", ["", " ", "two words", "k" * 256, "tab\there", "caf\u00e9"])
async def test_keys_are_visible_ascii(app: IdempotentApp, key: str) -> None:
    """400 ``invalid-idempotency-key`` without an effect."""
    response = await app.post(key=key.encode("latin-1"))  # type: ignore[arg-type]  # as bytes on the wire
    assert outcome(response) == (400, "invalid-idempotency-key")
    assert await app.effects() == 0


async def test_the_longest_key_works(app: IdempotentApp) -> None:
    """255 characters."""
    assert (await app.post(key="~" * 255)).status_code == 201


async def test_a_concurrent_request_must_wait(app: IdempotentApp) -> None:
    """409 ``idempotency-in-progress`` with ``Retry-After``; afterwards it gets the response."""
    app.hooks.halt_before_effect = True
    app.hooks.resume.clear()
    first = asyncio.create_task(app.post())
    await app.hooks.reached.wait()
    early = await app.post()
    app.hooks.resume.set()
    done = await first
    assert outcome(early) == (409, "idempotency-in-progress")
    assert early.headers["retry-after"] == "1"
    assert (await app.post()).content == done.content
    assert await app.effects() == 1


async def test_one_of_many_concurrent_requests_has_its_effect(app: IdempotentApp) -> None:
    """The others get its response or have to wait."""
    responses = await asyncio.gather(*(app.post() for _ in range(12)))
    assert await app.effects() == 1
    assert {response.status_code for response in responses} <= {201, 409}
    assert len({response.content for response in responses if response.status_code == 201}) == 1
    assert (await app.post()).status_code == 201


async def test_a_request_killed_before_its_effect_can_be_sent_again(app: IdempotentApp) -> None:
    """Not before its lease has expired, since it might still be running."""
    app.hooks.halt_before_effect = True
    app.hooks.resume.clear()
    await app.kill_once_reached(asyncio.create_task(app.post()))
    assert outcome(await app.post()) == (409, "idempotency-in-progress")
    await app.end_leases()
    assert (await app.post()).status_code == 201
    assert await app.effects() == 1


async def test_a_request_killed_between_effect_and_response_is_never_repeated(app: IdempotentApp) -> None:
    """409 ``idempotency-answer-lost`` tells the client to check whether it took effect."""
    app.hooks.halt_after_effect = True
    app.hooks.resume.clear()
    await app.kill_once_reached(asyncio.create_task(app.post()))
    assert outcome(await app.post()) == (409, "idempotency-in-progress")
    await app.end_leases()
    assert outcome(await app.post()) == (409, "idempotency-answer-lost")
    assert await app.effects() == 1


async def test_a_response_stored_with_its_effect_is_replayed_after_a_kill(app: IdempotentApp) -> None:
    """The replay has the same bytes as the lost response."""
    app.hooks.halt_after_effect = True
    app.hooks.resume.clear()
    await app.kill_once_reached(asyncio.create_task(app.post("/orders-with-response")))
    replay = await app.post("/orders-with-response")
    undisturbed = await app.post("/orders-with-response", key="key-2")
    assert replay.headers["idempotency-replayed"] == "true"
    assert (replay.status_code, replay.content) == (undisturbed.status_code, undisturbed.content)
    assert replay.headers["content-type"] == undisturbed.headers["content-type"]
    assert await app.effects() == 2


async def test_a_retry_continues_from_the_checkpoint(app: IdempotentApp) -> None:
    """The second run places no second order."""
    app.hooks.halt_after_effect = True
    app.hooks.resume.clear()
    await app.kill_once_reached(asyncio.create_task(app.post("/orders-with-checkpoint")))
    await app.end_leases()
    assert (await app.post("/orders-with-checkpoint")).json() == {"itemName": "red", "number": 1}
    assert (await app.post("/orders-with-checkpoint")).headers["idempotency-replayed"] == "true"
    assert await app.effects() == 1


async def test_a_compensated_request_starts_over(app: IdempotentApp) -> None:
    """The checkpoint is deleted with the effect."""
    app.hooks.fail_after = Problem(503, ProblemCode.UNAVAILABLE, "No payment.")
    assert (await app.post("/orders-with-checkpoint")).status_code == 503
    app.hooks.fail_after = None
    assert (await app.post("/orders-with-checkpoint")).json() == {"itemName": "red", "number": 0}


async def test_a_repeatable_endpoint_is_executed_again_after_a_kill(app: IdempotentApp) -> None:
    """It is idempotent by itself, so the client gets a real response."""
    app.hooks.halt_after_effect = True
    app.hooks.resume.clear()
    await app.kill_once_reached(asyncio.create_task(app.post("/repeatable-orders")))
    await app.end_leases()
    assert (await app.post("/repeatable-orders")).status_code == 200
    assert (await app.post("/repeatable-orders")).headers["idempotency-replayed"] == "true"


async def test_a_single_process_ends_all_leases_at_its_start(app: IdempotentApp) -> None:
    """A client need not wait for the lease of a dead process."""
    app.hooks.halt_before_effect = True
    app.hooks.resume.clear()
    await app.kill_once_reached(asyncio.create_task(app.post()))
    async with app.database.transaction() as tx:
        await end_leases(tx)
    assert (await app.post()).status_code == 201


async def test_a_request_that_has_lost_its_claim_cannot_commit(app: IdempotentApp) -> None:
    """A slow request's transaction rolls back when its key was taken over."""
    app.hooks.halt_before_effect = True
    app.hooks.resume.clear()
    slow = asyncio.create_task(app.post())
    await app.hooks.reached.wait()
    await app.end_leases()
    app.hooks.halt_before_effect = False
    second = await app.post()
    app.hooks.resume.set()
    assert second.status_code == 201
    assert outcome(await slow) == (409, "idempotency-in-progress")
    assert await app.effects() == 1
    assert (await app.post()).content == second.content


@pytest.mark.parametrize("failure", [Problem(503, ProblemCode.UNAVAILABLE, "Unavailable."), RuntimeError("a fault")])
async def test_a_failure_before_the_effect_is_not_stored(app: IdempotentApp, failure: Exception) -> None:
    """The same key can be used again at once."""
    app.hooks.fail_before = failure
    assert (await app.post()).status_code >= 500
    app.hooks.fail_before = None
    assert (await app.post()).status_code == 201
    assert await app.effects() == 1


@pytest.mark.parametrize("failure", [Problem(503, ProblemCode.UNAVAILABLE, "Unavailable."), RuntimeError("a fault")])
async def test_a_failure_after_the_effect_does_not_cause_a_second_one(app: IdempotentApp, failure: Exception) -> None:
    """409 ``idempotency-answer-lost``, without waiting for a lease."""
    app.hooks.fail_after = failure
    assert (await app.post()).status_code >= 500
    app.hooks.fail_after = None
    assert outcome(await app.post()) == (409, "idempotency-answer-lost")
    assert await app.effects() == 1


async def test_a_compensated_effect_frees_the_key(app: IdempotentApp) -> None:
    """The client can simply retry."""
    app.hooks.fail_after = Problem(503, ProblemCode.UNAVAILABLE, "Unavailable.")
    assert (await app.post("/compensated-orders")).status_code == 503
    app.hooks.fail_after = None
    assert (await app.post("/compensated-orders")).status_code == 200


async def test_a_conclusive_refusal_is_replayed(app: IdempotentApp) -> None:
    """The problem document is stored."""
    app.hooks.fail_before = Problem(409, ProblemCode.NOT_READY, "There are none left.", item="red")
    first = await app.post()
    app.hooks.fail_before = None
    again = await app.post()
    assert again.json() == first.json()
    assert again.headers["content-type"].startswith("application/problem+json")
    assert again.headers["idempotency-replayed"] == "true"
    assert await app.effects() == 0


@pytest.mark.parametrize("status", [401, 408, 412, 425, 429])
async def test_an_inconclusive_refusal_is_not_stored(app: IdempotentApp, status: int) -> None:
    """The next request with the key runs again."""
    app.hooks.fail_before = Problem(status, ProblemCode.UNAVAILABLE, "Later.")
    assert (await app.post()).status_code == status
    app.hooks.fail_before = None
    assert (await app.post()).status_code == 201


async def test_invalid_input_does_not_use_up_the_key(app: IdempotentApp) -> None:
    """The endpoint did not run."""
    assert (await app.post(json={"colour": "red"})).status_code == 422
    assert (await app.post()).status_code == 201


async def test_a_form_with_another_boundary_is_the_same_request(app: IdempotentApp) -> None:
    """Browsers choose a new boundary each time, so only the form's content is compared."""

    async def send(content: bytes, title: str = "title") -> tuple[int, str]:
        response = await app.post("/photos", files={"file": ("a.png", content)}, data={"title": title})
        return response.status_code, response.headers.get("idempotency-replayed", response.text)

    large = bytes(range(256)) * 8192
    assert await send(large) == (200, '{"itemName":"a.png","number":2097152}')
    assert await send(large) == (200, "true")
    assert (await send(large[:-1] + b"?"))[0] == 422
    assert (await send(large, "another title"))[0] == 422
    assert await app.effects() == 1


async def test_other_methods_ignore_the_header(app: IdempotentApp) -> None:
    """Other methods are idempotent by themselves."""
    for _ in range(2):
        response = await app.send("GET", "/order-list", key="key-1", user="mai", address="192.0.2.1")
        assert response.status_code == 200
    assert await app.effects() == 2


async def test_a_key_can_be_used_again_after_a_day(app: IdempotentApp) -> None:
    """Also for another request, and even if its row has not been deleted yet."""
    await app.post()
    await app.set_rows(created_at=utc_now() - timedelta(hours=24, seconds=1))
    assert (await app.post(json={"item": "blue"})).json() == {"itemName": "blue", "number": 1}
    assert (await app.post(json={"item": "blue"})).headers["idempotency-replayed"] == "true"


async def test_old_keys_are_deleted(app: IdempotentApp) -> None:
    """Keys of the last day stay."""
    await app.post(key="old")
    await app.set_rows(created_at=utc_now() - timedelta(hours=25))
    await app.post(key="new")
    async with app.database.transaction() as tx:
        await prune(tx)
    async with app.database.reading() as tx:
        left = (await tx.session.execute(select(func.count()).select_from(IdempotencyKey))).scalar_one()
    assert left == 1


def test_a_blocking_endpoint_is_rejected_at_declaration() -> None:
    """Its transactions could not be tied to the key."""
    router = APIRouter(route_class=IdempotentRoute)

    def plain() -> None: ...

    with pytest.raises(TypeError, match="coroutine"):
        router.post("/plain")(plain)
