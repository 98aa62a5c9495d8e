"""Films and sounds become renditions, whatever happens on the way."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from metastore.features.media.object_keys import init_key
from metastore.kit.clock import utc_now
from metastore.kit.reason_codes import ReasonCode
from metastore.kit.saga_runner import SagaRunner
from metastore.ports.media_tools import (
    AudioTrack,
    MediaRefusedError,
    MediaToolError,
    NotCopyableError,
)
from metastore.ports.object_store import StoreUnavailableError
from tests.fixtures.house import House
from tests.fixtures.media_fakes import FILM, SOUND, FakeTranscoder
from tests.fixtures.waiting import eventually

DIED = MediaToolError("killed")


async def whole(house: House, file_id: str) -> list[str]:
    """The names of a file's renditions, all of which are whole: rows, objects, and nothing besides."""
    renditions = await house.renditions(file_id)
    assert {"done"} == {rendition.state for rendition in renditions.values()}
    numbers = list(range(house.transcoder.segments))
    assert dict.fromkeys(renditions, numbers) == await house.segments(file_id)
    assert await house.expected_objects(file_id) == {key for key in await house.derived() if "/hls/" in key}
    for name, rendition in renditions.items():
        stored = house.drive.store.objects[init_key(rendition.key_prefix)]
        assert house.transcoder.init(name) == stored
        for number in numbers:
            key = f"{rendition.key_prefix}/{number:06d}.m4s"
            assert house.transcoder.data(name, number) == house.drive.store.objects[key]
    return sorted(renditions)


async def test_a_film_is_packaged_then_pictured_then_transcoded(house: House) -> None:
    file = await house.film()
    await house.work()
    assert "READY" == (await house.file(file.id)).status
    assert ["a0", "v360", "v480", "v720"] == await whole(house, file.id)
    package, transcode = house.transcoder.jobs
    assert ("v720", ["a0"], []) == (package.copied_video, [t.name for t in package.audio], list(package.rungs))
    assert ([], ["v480", "v360"], 0) == (list(transcode.audio), [r.name for r in transcode.rungs], transcode.first)
    assert [4_000_000 * number for number in range(5)] == list(transcode.cuts_us)
    assert ["probe", "thumbnails", "sprite"] == house.tools.asked
    sound = (await house.renditions(file.id))["a0"]
    assert ("vi", "Tiếng Việt", True, True) == (sound.language, sound.title, sound.is_default, sound.copied)
    assert (100, 100) == (sound.bandwidth, sound.average_bandwidth)


async def test_a_film_can_be_played_once_there_is_something_to_see_and_to_hear(house: House) -> None:
    playable: list[bool] = []
    file = await house.film()

    def look(name: str, number: int) -> "asyncio.Future[None]":
        async def looking() -> None:
            playable.append((await house.node(file.id)).playable_at is not None)

        return asyncio.ensure_future(looking())

    house.transcoder.before = look
    await house.work()
    assert not playable[0]
    assert playable[-1]
    told = [data for _, event, data in house.radio.sent if event == "file.progress" and isinstance(data, dict)]
    assert [("package", True)] == [(data["step"], data["playable"]) for data in told if "playable" in data]
    assert told.index(next(d for d in told if "playable" in d)) < told.index(
        next(d for d in told if d["step"] == "transcode")
    )


async def test_progress_is_the_share_of_the_film_that_is_made(house: House) -> None:
    seen: list[int] = []
    file = await house.film()

    def look(name: str, number: int) -> "asyncio.Future[None]":
        async def looking() -> None:
            await asyncio.sleep(0.1)
            seen.append((await house.file(file.id)).processing.progress or 0)

        return asyncio.ensure_future(looking())

    house.transcoder.before = look
    await house.work()
    assert max(seen) >= 40
    assert len(set(seen)) > 3


@pytest.mark.parametrize("tracks", [0, 2])
async def test_a_film_may_have_no_sound_or_much_of_it(house: House, tracks: int) -> None:
    file = await house.film()
    house.tools.facts = replace(FILM, audio_tracks=(AudioTrack("aac"),) * tracks)
    await house.work()
    assert [*(f"a{n}" for n in range(tracks)), "v360", "v480", "v720"] == await whole(house, file.id)
    assert (await house.node(file.id)).playable_at


async def test_a_film_that_cannot_be_copied_is_encoded_at_once(house: House) -> None:
    file = await house.film()
    house.tools.facts = replace(FILM, video_copyable=False)
    await house.work()
    assert ["a0", "v360", "v480", "v720"] == await whole(house, file.id)
    package, transcode = house.transcoder.jobs
    assert (None, ()) == (package.copied_video, tuple(transcode.cuts_us))
    assert ["v720", "v480", "v360"] == [rung.name for rung in transcode.rungs]


async def test_a_film_that_turns_out_not_to_be_copyable_is_encoded_instead(house: House) -> None:
    house.transcoder.troubles = [(7, NotCopyableError(ReasonCode.FILM_NOT_COPYABLE))]
    file = await house.film()
    await house.work()
    assert "READY" == (await house.file(file.id)).status
    assert ["a0", "v360", "v480", "v720"] == await whole(house, file.id)
    assert {False} == {r.copied for name, r in (await house.renditions(file.id)).items() if name != "a0"}
    assert ["v720", None, None] == [job.copied_video for job in house.transcoder.jobs]
    assert (await house.node(file.id)).playable_at


async def test_sound_alone_gets_a_rendition_and_a_waveform_and_no_picture(house: House) -> None:
    house.tools.facts = SOUND
    file = await house.bring(name="song.jpg")
    await house.work()
    assert ["a0"] == await whole(house, file.id)
    assert ["probe", "waveform"] == house.tools.asked
    assert (await house.node(file.id)).playable_at
    assert 1 == len(house.transcoder.jobs)


async def test_a_transcoding_that_died_goes_on_where_it_was(house: House) -> None:
    """Five segments of two sizes were made: of one there are three, of the other two."""
    house.transcoder.troubles = [None, (5, DIED)]
    file = await house.film()
    await house.work()
    assert "READY" == (await house.file(file.id)).status
    assert ["a0", "v360", "v480", "v720"] == await whole(house, file.id)
    assert [0, 0, 2] == [job.first for job in house.transcoder.jobs]


async def test_a_packaging_that_died_is_made_anew(house: House) -> None:
    house.transcoder.troubles = [(5, DIED)]
    file = await house.film()
    await house.work()
    assert ["a0", "v360", "v480", "v720"] == await whole(house, file.id)
    assert ["v720", "v720", None] == [job.copied_video for job in house.transcoder.jobs]


async def test_a_transcoding_that_comes_further_each_time_ends_well(house: House) -> None:
    """Ten interruptions, each after two segments, are no reason to give up."""
    house.transcoder.segments = 20
    house.transcoder.troubles = [None, *[(4, DIED)] * 9]
    file = await house.film()
    await house.work(rounds=16)
    assert "READY" == (await house.file(file.id)).status
    assert [0, *range(0, 20, 2)] == [job.first for job in house.transcoder.jobs]
    assert ["a0", "v360", "v480", "v720"] == await whole(house, file.id)


@pytest.mark.parametrize("at", [0, 3])
async def test_what_dies_at_the_same_place_three_times_is_given_up_and_leaves_nothing(house: House, at: int) -> None:
    house.transcoder.troubles = [None, (at, DIED), *[(0, DIED)] * 3]
    file = await house.film()
    await house.work()
    failed = await house.file(file.id)
    assert ("FAILED", "transcode", True) == (failed.status, failed.processing.step, failed.processing.retryable)
    assert 3 == len(house.transcoder.jobs) - 1
    assert (set(), {}, 0) == (await house.derived(), await house.renditions(file.id), await house.probed())
    assert (await house.node(file.id)).playable_at is None
    assert 1 == len(await house.told("file.failed"))

    house.transcoder.troubles = []
    await house.retry(file.id)
    await house.work()
    assert "READY" == (await house.file(file.id)).status
    assert ["a0", "v360", "v480", "v720"] == await whole(house, file.id)


async def test_a_film_that_is_refused_fails_at_once_with_the_reason(house: House) -> None:
    house.transcoder.troubles = [(2, MediaRefusedError(ReasonCode.FILM_UNREADABLE))]
    file = await house.film()
    await house.work()
    failed = await house.file(file.id)
    assert ("FAILED", ReasonCode.FILM_UNREADABLE.sentence, ReasonCode.FILM_UNREADABLE, False) == (
        failed.status,
        failed.processing.error,
        failed.processing.reason_code,
        failed.processing.retryable,
    )
    assert set() == await house.derived()


async def test_renditions_that_cannot_be_gone_on_with_are_begun_anew(house: House) -> None:
    """The encoder was exchanged for another while it was at work."""
    house.transcoder.troubles = [None, (5, DIED)]
    house.transcoder.exchanged_at = 3
    file = await house.film()
    await house.work()
    renditions = await house.renditions(file.id)
    assert {"v360": "2", "v480": "2", "v720": "1"} == {
        name: house.drive.store.objects[init_key(rendition.key_prefix)].decode()[-1]
        for name, rendition in renditions.items()
        if name != "a0"
    }
    assert await house.expected_objects(file.id) == {key for key in await house.derived() if "/hls/" in key}
    assert [0, 0, 2, 0] == [job.first for job in house.transcoder.jobs]


@pytest.mark.parametrize("before_effect", [True, False])
async def test_a_store_that_is_away_for_a_moment_is_asked_again(house: House, before_effect: bool) -> None:
    def fail(_name: str, number: int) -> None:
        if number == 3:
            failing = house.drive.store.fail_next if before_effect else house.drive.store.after
            failing["put"] = StoreUnavailableError("reset")

    house.transcoder.before = fail
    file = await house.film()
    await house.work()
    assert ["a0", "v360", "v480", "v720"] == await whole(house, file.id)
    assert 2 == len(house.transcoder.jobs)


class Gate:
    """A transcoder that stops before a segment until it is told to go on."""

    def __init__(self, name: str, number: int) -> None:
        self.at = (name, number)
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()

    def __call__(self, name: str, number: int) -> "asyncio.Future[None] | None":
        """Before a segment."""
        return asyncio.ensure_future(self._wait()) if (name, number) == self.at else None

    async def _wait(self) -> None:
        self.reached.set()
        await self.go_on.wait()


def later(house: House, transcoder: FakeTranscoder) -> SagaRunner:
    """Another worker, to which all leases have run out."""
    runner = house.worker(transcoder)[1]
    runner._clock = lambda: utc_now() + house.drive.clock.ahead + timedelta(minutes=1)
    return runner


async def test_what_a_paused_worker_has_in_hand_another_brings_to_its_end(house: House) -> None:
    """The first wakes up when all is done, and changes nothing any more."""
    house.transcoder.before = gate = Gate("v480", 3)
    file = await house.film()
    paused = asyncio.create_task(house.runner.run_due())
    await gate.reached.wait()
    await eventually(_has_segments(house, file.id, {"v480": 3, "v360": 3}))
    second = FakeTranscoder()
    await later(house, second).run_due()
    assert "READY" == (await house.file(file.id)).status
    assert [3] == [job.first for job in second.jobs]
    gate.go_on.set()
    await paused
    assert ["a0", "v360", "v480", "v720"] == await whole(house, file.id)
    assert 1 == len(await house.told("file.ready"))


async def test_a_file_that_is_purged_while_it_is_transcoded_leaves_nothing(house: House) -> None:
    house.transcoder.before = gate = Gate("v480", 3)
    file = await house.film()
    working = asyncio.create_task(house.runner.run_due())
    await gate.reached.wait()
    await house.purge(file.id)
    gate.go_on.set()
    await working
    await house.work()
    assert ({}, {}, 0) == (house.drive.store.objects, await house.renditions(file.id), await house.probed())
    assert [] == await house.told("file.ready") == await house.told("file.failed")
    assert house.transcoder.closed == len(house.transcoder.jobs)


async def test_a_worker_that_was_lost_does_no_harm_to_what_a_retry_makes(house: House) -> None:
    """It wakes up when the saga has failed, was retried, and is at the same step again."""
    house.transcoder.before = gate = Gate("v480", 3)
    file = await house.film()
    paused = asyncio.create_task(house.runner.run_due())
    await gate.reached.wait()
    failing = FakeTranscoder(troubles=[(0, DIED)] * 3)
    for _ in range(4):
        await later(house, failing).run_due()
        house.drive.clock.pass_by(seconds=20)
    assert "FAILED" == (await house.file(file.id)).status
    await house.retry(file.id)
    second = FakeTranscoder()
    await later(house, second).run_due()
    gate.go_on.set()
    await paused
    assert "READY" == (await house.file(file.id)).status
    for rendition in (await house.renditions(file.id)).values():
        assert init_key(rendition.key_prefix) in house.drive.store.objects
    assert await house.expected_objects(file.id) <= house.drive.store.objects.keys()


async def test_a_film_that_was_ready_and_is_purged_leaves_nothing(house: House) -> None:
    file = await house.film()
    await house.work()
    await house.purge(file.id)
    assert ({}, {}, 0) == (house.drive.store.objects, await house.renditions(file.id), await house.probed())


async def test_a_worker_killed_between_object_and_row_is_gone_on_with(house: House) -> None:
    """Its objects are there already, and no key is written twice."""
    house.transcoder.troubles = [None, (6, DIED)]
    file = await house.film()
    await house.runner.run_due()
    rendition = (await house.renditions(file.id))["v480"]
    for number in range(3, 5):
        house.drive.store.objects[f"{rendition.key_prefix}/{number:06d}.m4s"] = b"stored, and then killed"
    house.drive.clock.pass_by(seconds=20)
    await house.work()
    assert ["a0", "v360", "v480", "v720"] == await whole(house, file.id)


async def test_a_worker_killed_between_object_and_row_leaves_nothing_that_a_purge_does_not_find(house: House) -> None:
    """What is ahead of the rows lies under keys that follow from them."""
    house.transcoder.troubles = [None, (6, DIED)]
    file = await house.film()
    await house.runner.run_due()
    rendition = (await house.renditions(file.id))["v480"]
    for number in range(3, 30):
        house.drive.store.objects[f"{rendition.key_prefix}/{number:06d}.m4s"] = b"stored, and then killed"
    await house.purge(file.id)
    assert {} == house.drive.store.objects


def _has_segments(house: House, file_id: str, wanted: dict[str, int]) -> Callable[[], Awaitable[bool]]:
    async def has() -> bool:
        segments = await house.segments(file_id)
        return all(len(segments.get(name, [])) >= count for name, count in wanted.items())

    return has
