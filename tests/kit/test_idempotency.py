"""One idempotency key, one effect."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from fastapi import APIRouter
from sqlalchemy import func, select

from metastore.kit.clock import utc_now
from metastore.kit.database import Database
from metastore.kit.idempotency import IdempotentRoute
from metastore.kit.idempotency_claims import IdempotencyKey, end_leases, prune
from metastore.kit.problem import Problem
from metastore.kit.problem_codes import ProblemCode
from tests.kit.kitchen import Kitchen


@pytest.fixture
def kitchen(database: Database) -> Kitchen:
    """On each database."""
    return Kitchen(database)


def outcome(response: httpx.Response) -> tuple[int, str]:
    """Status and problem code of an answer."""
    return response.status_code, response.json()["code"]


async def test_without_a_key_every_request_has_its_effect(kitchen: Kitchen) -> None:
    """Nothing changes for clients that send none."""
    for _ in range(2):
        assert (await kitchen.post(key=None)).status_code == 201
    assert await kitchen.effects() == 2


async def test_a_repeated_request_has_one_effect_and_gets_the_first_answer(kitchen: Kitchen) -> None:
    """Status, body and headers, but no cookie; and it says that it is a replay."""
    first, again, once_more = [await kitchen.post() for _ in range(3)]
    assert await kitchen.effects() == 1
    assert "idempotency-replayed" not in first.headers
    for replay in (again, once_more):
        assert replay.headers["idempotency-replayed"] == "true"
        assert (replay.status_code, replay.content) == (201, first.content)
        assert replay.headers["location"] == "/kettles/0"
        assert replay.headers["content-type"] == first.headers["content-type"]
        assert "set-cookie" not in replay.headers


async def test_an_answer_without_body_is_replayed_too(kitchen: Kitchen) -> None:
    """204 stays 204."""
    answers = [await kitchen.post("/empty", content=b"") for _ in range(2)]
    assert [(a.status_code, a.content) for a in answers] == [(204, b"")] * 2
    assert await kitchen.effects() == 1


async def test_answers_survive_a_restart(kitchen: Kitchen) -> None:
    """Another process on the same database replays."""
    await kitchen.post()
    assert (await Kitchen(kitchen.database).post()).headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(("path", "kettle"), [("/boil", "blue"), ("/boil-again", "red"), ("/boil?twice=yes", "red")])
async def test_a_key_used_for_another_request_is_refused(kitchen: Kitchen, path: str, kettle: str) -> None:
    """422 for another body, another path or another query."""
    await kitchen.post()
    assert outcome(await kitchen.post(path, json={"kettle": kettle})) == (422, "idempotency-key-reused")
    assert await kitchen.effects() == 1


async def test_users_and_addresses_have_their_own_keys(kitchen: Kitchen) -> None:
    """Nobody gets an answer that was somebody else's."""
    for user, address in (("mai", "192.0.2.1"), ("lan", "192.0.2.1"), (None, "192.0.2.1"), (None, "192.0.2.2")):
        response = await kitchen.post(user=user, address=address)
        assert "idempotency-replayed" not in response.headers
    assert await kitchen.effects() == 4


@pytest.mark.parametrize("key", ["", " ", "two words", "k" * 256, "tab\there", "caf\u00e9"])
async def test_keys_are_visible_ascii(kitchen: Kitchen, key: str) -> None:
    """400 ``invalid-idempotency-key``, and nothing is done."""
    response = await kitchen.post(key=key.encode("latin-1"))  # type: ignore[arg-type]  # as bytes on the wire
    assert outcome(response) == (400, "invalid-idempotency-key")
    assert await kitchen.effects() == 0


async def test_the_longest_key_works(kitchen: Kitchen) -> None:
    """255 characters."""
    assert (await kitchen.post(key="~" * 255)).status_code == 201


async def test_while_the_first_request_is_worked_on_another_must_wait(kitchen: Kitchen) -> None:
    """409 ``idempotency-in-progress`` with ``Retry-After``; afterwards it gets the answer."""
    kitchen.hooks.halt_before_effect = True
    kitchen.hooks.go_on.clear()
    first = asyncio.create_task(kitchen.post())
    await kitchen.hooks.reached.wait()
    early = await kitchen.post()
    kitchen.hooks.go_on.set()
    done = await first
    assert outcome(early) == (409, "idempotency-in-progress")
    assert early.headers["retry-after"] == "1"
    assert (await kitchen.post()).content == done.content
    assert await kitchen.effects() == 1


async def test_of_many_at_once_one_has_its_effect(kitchen: Kitchen) -> None:
    """Each of the others gets its answer or is asked to wait."""
    answers = await asyncio.gather(*(kitchen.post() for _ in range(12)))
    assert await kitchen.effects() == 1
    assert {a.status_code for a in answers} <= {201, 409}
    assert len({a.content for a in answers if a.status_code == 201}) == 1
    assert (await kitchen.post()).status_code == 201


async def test_a_request_killed_before_its_effect_can_be_sent_again(kitchen: Kitchen) -> None:
    """Once its lease has run out; not before, since it might still be running."""
    kitchen.hooks.halt_before_effect = True
    kitchen.hooks.go_on.clear()
    await kitchen.kill_once_reached(asyncio.create_task(kitchen.post()))
    assert outcome(await kitchen.post()) == (409, "idempotency-in-progress")
    await kitchen.end_leases()
    assert (await kitchen.post()).status_code == 201
    assert await kitchen.effects() == 1


async def test_a_request_killed_between_effect_and_answer_is_never_carried_out_again(kitchen: Kitchen) -> None:
    """409 ``idempotency-answer-lost`` tells the client to look at the result."""
    kitchen.hooks.halt_after_effect = True
    kitchen.hooks.go_on.clear()
    await kitchen.kill_once_reached(asyncio.create_task(kitchen.post()))
    assert outcome(await kitchen.post()) == (409, "idempotency-in-progress")
    await kitchen.end_leases()
    assert outcome(await kitchen.post()) == (409, "idempotency-answer-lost")
    assert await kitchen.effects() == 1


async def test_an_answer_kept_with_its_effect_outlives_even_that(kitchen: Kitchen) -> None:
    """The replay has the very bytes that the first answer would have had."""
    kitchen.hooks.halt_after_effect = True
    kitchen.hooks.go_on.clear()
    await kitchen.kill_once_reached(asyncio.create_task(kitchen.post("/boil-and-keep")))
    replay = await kitchen.post("/boil-and-keep")
    undisturbed = await kitchen.post("/boil-and-keep", key="key-2")
    assert replay.headers["idempotency-replayed"] == "true"
    assert (replay.status_code, replay.content) == (undisturbed.status_code, undisturbed.content)
    assert replay.headers["content-type"] == undisturbed.headers["content-type"]
    assert await kitchen.effects() == 2


async def test_what_was_begun_is_gone_on_with(kitchen: Kitchen) -> None:
    """The second run finds the first one's note, and boils no second kettle."""
    kitchen.hooks.halt_after_effect = True
    kitchen.hooks.go_on.clear()
    await kitchen.kill_once_reached(asyncio.create_task(kitchen.post("/boil-slowly")))
    await kitchen.end_leases()
    assert (await kitchen.post("/boil-slowly")).json() == {"kettleName": "red", "number": 1}
    assert (await kitchen.post("/boil-slowly")).headers["idempotency-replayed"] == "true"
    assert await kitchen.effects() == 1


async def test_what_was_begun_and_taken_back_is_begun_anew(kitchen: Kitchen) -> None:
    """The note goes with what it speaks of."""
    kitchen.hooks.fail_after = Problem(503, ProblemCode.UNAVAILABLE, "No gas.")
    assert (await kitchen.post("/boil-slowly")).status_code == 503
    kitchen.hooks.fail_after = None
    assert (await kitchen.post("/boil-slowly")).json() == {"kettleName": "red", "number": 0}


async def test_a_repeatable_endpoint_is_run_again_instead(kitchen: Kitchen) -> None:
    """It is harmless by itself, and so the client gets a real answer."""
    kitchen.hooks.halt_after_effect = True
    kitchen.hooks.go_on.clear()
    await kitchen.kill_once_reached(asyncio.create_task(kitchen.post("/boil-again")))
    await kitchen.end_leases()
    assert (await kitchen.post("/boil-again")).status_code == 200
    assert (await kitchen.post("/boil-again")).headers["idempotency-replayed"] == "true"


async def test_the_only_process_there_is_ends_all_leases_when_it_starts(kitchen: Kitchen) -> None:
    """A client need not wait for a lease whose holder is known to be dead."""
    kitchen.hooks.halt_before_effect = True
    kitchen.hooks.go_on.clear()
    await kitchen.kill_once_reached(asyncio.create_task(kitchen.post()))
    async with kitchen.database.transaction() as tx:
        await end_leases(tx)
    assert (await kitchen.post()).status_code == 201


async def test_whoever_lost_the_lease_cannot_have_its_effect_any_more(kitchen: Kitchen) -> None:
    """A request that was only slow finds its key taken over: its transaction rolls back."""
    kitchen.hooks.halt_before_effect = True
    kitchen.hooks.go_on.clear()
    slow = asyncio.create_task(kitchen.post())
    await kitchen.hooks.reached.wait()
    await kitchen.end_leases()
    kitchen.hooks.halt_before_effect = False
    second = await kitchen.post()
    kitchen.hooks.go_on.set()
    assert second.status_code == 201
    assert outcome(await slow) == (409, "idempotency-in-progress")
    assert await kitchen.effects() == 1
    assert (await kitchen.post()).content == second.content


@pytest.mark.parametrize("failure", [Problem(503, ProblemCode.UNAVAILABLE, "Away."), RuntimeError("a fault")])
async def test_a_failure_before_the_effect_is_not_remembered(kitchen: Kitchen, failure: Exception) -> None:
    """The same key may be tried again at once."""
    kitchen.hooks.fail_before = failure
    assert (await kitchen.post()).status_code >= 500
    kitchen.hooks.fail_before = None
    assert (await kitchen.post()).status_code == 201
    assert await kitchen.effects() == 1


@pytest.mark.parametrize("failure", [Problem(503, ProblemCode.UNAVAILABLE, "Away."), RuntimeError("a fault")])
async def test_a_failure_after_the_effect_does_not_lead_to_a_second_one(kitchen: Kitchen, failure: Exception) -> None:
    """409 ``idempotency-answer-lost``, without waiting for a lease."""
    kitchen.hooks.fail_after = failure
    assert (await kitchen.post()).status_code >= 500
    kitchen.hooks.fail_after = None
    assert outcome(await kitchen.post()) == (409, "idempotency-answer-lost")
    assert await kitchen.effects() == 1


async def test_an_effect_that_was_taken_back_frees_the_key(kitchen: Kitchen) -> None:
    """The endpoint cleaned up behind itself, so the client may simply try again."""
    kitchen.hooks.fail_after = Problem(503, ProblemCode.UNAVAILABLE, "Away.")
    assert (await kitchen.post("/spill")).status_code == 503
    kitchen.hooks.fail_after = None
    assert (await kitchen.post("/spill")).status_code == 200


async def test_a_refusal_that_decides_is_replayed(kitchen: Kitchen) -> None:
    """A problem is stored as the problem document that it was."""
    kitchen.hooks.fail_before = Problem(409, ProblemCode.NOT_READY, "There is no water.", kettle="red")
    first = await kitchen.post()
    kitchen.hooks.fail_before = None
    again = await kitchen.post()
    assert again.json() == first.json()
    assert again.headers["content-type"].startswith("application/problem+json")
    assert again.headers["idempotency-replayed"] == "true"
    assert await kitchen.effects() == 0


@pytest.mark.parametrize("status", [401, 408, 412, 425, 429])
async def test_a_refusal_that_only_says_not_now_is_not_remembered(kitchen: Kitchen, status: int) -> None:
    """The next try with the key is judged anew."""
    kitchen.hooks.fail_before = Problem(status, ProblemCode.UNAVAILABLE, "Later.")
    assert (await kitchen.post()).status_code == status
    kitchen.hooks.fail_before = None
    assert (await kitchen.post()).status_code == 201


async def test_input_of_the_wrong_shape_uses_no_key_up(kitchen: Kitchen) -> None:
    """The endpoint never ran."""
    assert (await kitchen.post(json={"pot": "red"})).status_code == 422
    assert (await kitchen.post()).status_code == 201


async def test_a_form_is_the_same_form_under_another_boundary(kitchen: Kitchen) -> None:
    """Browsers draw a new one each time; what counts is what the form says."""

    async def send(content: bytes, title: str = "tea") -> tuple[int, str]:
        response = await kitchen.post("/photograph", files={"file": ("a.png", content)}, data={"title": title})
        return response.status_code, response.headers.get("idempotency-replayed", response.text)

    large = bytes(range(256)) * 8192
    assert await send(large) == (200, '{"kettleName":"a.png","number":2097152}')
    assert await send(large) == (200, "true")
    assert (await send(large[:-1] + b"?"))[0] == 422
    assert (await send(large, "coffee"))[0] == 422
    assert await kitchen.effects() == 1


async def test_other_methods_pay_no_attention_to_the_header(kitchen: Kitchen) -> None:
    """Only POST is not idempotent by itself."""
    for _ in range(2):
        response = await kitchen.send("GET", "/look", key="key-1", user="mai", address="192.0.2.1")
        assert response.status_code == 200
    assert await kitchen.effects() == 2


async def test_after_a_day_a_key_is_new_again(kitchen: Kitchen) -> None:
    """Even for another request, and even before its row was deleted."""
    await kitchen.post()
    await kitchen.set_rows(created_at=utc_now() - timedelta(hours=24, seconds=1))
    assert (await kitchen.post(json={"kettle": "blue"})).json() == {"kettleName": "blue", "number": 1}
    assert (await kitchen.post(json={"kettle": "blue"})).headers["idempotency-replayed"] == "true"


async def test_old_keys_are_deleted(kitchen: Kitchen) -> None:
    """Those of the last day stay."""
    await kitchen.post(key="old")
    await kitchen.set_rows(created_at=utc_now() - timedelta(hours=25))
    await kitchen.post(key="new")
    async with kitchen.database.transaction() as tx:
        await prune(tx)
    async with kitchen.database.reading() as tx:
        left = (await tx.session.execute(select(func.count()).select_from(IdempotencyKey))).scalar_one()
    assert left == 1


def test_an_endpoint_that_blocks_the_loop_is_refused_when_it_is_declared() -> None:
    """Its transactions could not be tied to the key."""
    router = APIRouter(route_class=IdempotentRoute)

    def plain() -> None: ...

    with pytest.raises(TypeError, match="coroutine"):
        router.post("/plain")(plain)
