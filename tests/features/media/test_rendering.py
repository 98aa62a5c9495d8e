"""The saga steps ``package`` and ``transcode``, with interruptions of every kind."""

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

KILLED = MediaToolError("killed")


async def finished_renditions(house: House, file_id: str) -> list[str]:
    """Return the names of a file's renditions, after checking that all are done and that rows and objects match."""
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


async def test_a_video_is_packaged_then_gets_thumbnails_then_is_transcoded(house: House) -> None:
    file = await house.film()
    await house.work()
    assert "READY" == (await house.file(file.id)).status
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(house, file.id)
    package, transcode = house.transcoder.jobs
    assert ("v720", ["a0"], []) == (package.copied_video, [t.name for t in package.audio], list(package.rungs))
    assert ([], ["v480", "v360"], 0) == (list(transcode.audio), [r.name for r in transcode.rungs], transcode.first)
    assert [4_000_000 * number for number in range(5)] == list(transcode.cuts_us)
    assert ["probe", "thumbnails", "sprite"] == house.tools.asked
    audio = (await house.renditions(file.id))["a0"]
    assert ("vi", "Tiếng Việt", True, True) == (audio.language, audio.title, audio.is_default, audio.copied)
    assert (100, 100) == (audio.bandwidth, audio.average_bandwidth)


async def test_a_video_can_be_played_once_it_has_a_video_and_an_audio_segment(house: House) -> None:
    playable: list[bool] = []
    file = await house.film()

    def observe(name: str, number: int) -> "asyncio.Future[None]":
        async def read() -> None:
            playable.append((await house.node(file.id)).playable_at is not None)

        return asyncio.ensure_future(read())

    house.transcoder.before = observe
    await house.work()
    assert not playable[0]
    assert playable[-1]
    sent = [data for _, event, data in house.radio.sent if event == "file.progress" and isinstance(data, dict)]
    assert [("package", True)] == [(data["step"], data["playable"]) for data in sent if "playable" in data]
    assert sent.index(next(d for d in sent if "playable" in d)) < sent.index(
        next(d for d in sent if d["step"] == "transcode")
    )


async def test_progress_is_the_share_of_the_video_that_is_done(house: House) -> None:
    percents: list[int] = []
    file = await house.film()

    def observe(name: str, number: int) -> "asyncio.Future[None]":
        async def read() -> None:
            await asyncio.sleep(0.1)
            percents.append((await house.file(file.id)).processing.progress or 0)

        return asyncio.ensure_future(read())

    house.transcoder.before = observe
    await house.work()
    assert max(percents) >= 40
    assert len(set(percents)) > 3


@pytest.mark.parametrize("tracks", [0, 2])
async def test_a_video_may_have_any_number_of_audio_tracks(house: House, tracks: int) -> None:
    file = await house.film()
    house.tools.facts = replace(FILM, audio_tracks=(AudioTrack("aac"),) * tracks)
    await house.work()
    assert [*(f"a{n}" for n in range(tracks)), "v360", "v480", "v720"] == await finished_renditions(house, file.id)
    assert (await house.node(file.id)).playable_at


async def test_a_video_that_cannot_be_copied_is_encoded(house: House) -> None:
    file = await house.film()
    house.tools.facts = replace(FILM, video_copyable=False)
    await house.work()
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(house, file.id)
    package, transcode = house.transcoder.jobs
    assert (None, ()) == (package.copied_video, tuple(transcode.cuts_us))
    assert ["v720", "v480", "v360"] == [rung.name for rung in transcode.rungs]


async def test_a_video_that_turns_out_not_to_be_copyable_is_encoded_instead(house: House) -> None:
    house.transcoder.troubles = [(7, NotCopyableError(ReasonCode.FILM_NOT_COPYABLE))]
    file = await house.film()
    await house.work()
    assert "READY" == (await house.file(file.id)).status
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(house, file.id)
    assert {False} == {r.copied for name, r in (await house.renditions(file.id)).items() if name != "a0"}
    assert ["v720", None, None] == [job.copied_video for job in house.transcoder.jobs]
    assert (await house.node(file.id)).playable_at


async def test_an_audio_file_gets_a_rendition_and_a_waveform_and_no_image(house: House) -> None:
    house.tools.facts = SOUND
    file = await house.bring(name="song.jpg")
    await house.work()
    assert ["a0"] == await finished_renditions(house, file.id)
    assert ["probe", "waveform"] == house.tools.asked
    assert (await house.node(file.id)).playable_at
    assert 1 == len(house.transcoder.jobs)


async def test_a_killed_transcode_step_resumes_where_it_was(house: House) -> None:
    """Five segments of two rungs exist: three of one, two of the other."""
    house.transcoder.troubles = [None, (5, KILLED)]
    file = await house.film()
    await house.work()
    assert "READY" == (await house.file(file.id)).status
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(house, file.id)
    assert [0, 0, 2] == [job.first for job in house.transcoder.jobs]


async def test_a_killed_package_step_starts_again(house: House) -> None:
    house.transcoder.troubles = [(5, KILLED)]
    file = await house.film()
    await house.work()
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(house, file.id)
    assert ["v720", "v720", None] == [job.copied_video for job in house.transcoder.jobs]


async def test_a_transcode_step_that_makes_progress_each_time_succeeds(house: House) -> None:
    """Ten interruptions, each after two segments, do not fail the saga."""
    house.transcoder.segments = 20
    house.transcoder.troubles = [None, *[(4, KILLED)] * 9]
    file = await house.film()
    await house.work(rounds=16)
    assert "READY" == (await house.file(file.id)).status
    assert [0, *range(0, 20, 2)] == [job.first for job in house.transcoder.jobs]
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(house, file.id)


@pytest.mark.parametrize("at", [0, 3])
async def test_a_step_that_is_killed_three_times_at_the_same_place_fails_and_leaves_nothing(
    house: House, at: int
) -> None:
    house.transcoder.troubles = [None, (at, KILLED), *[(0, KILLED)] * 3]
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
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(house, file.id)


async def test_a_refused_video_fails_at_once_with_the_reason(house: House) -> None:
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


async def test_renditions_that_cannot_be_resumed_are_started_again(house: House) -> None:
    """The encoder was replaced by another one between two attempts."""
    house.transcoder.troubles = [None, (5, KILLED)]
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
async def test_puts_are_retried_through_a_short_outage_of_the_store(house: House, before_effect: bool) -> None:
    def fail(_name: str, number: int) -> None:
        if number == 3:
            failing = house.drive.store.fail_next if before_effect else house.drive.store.after
            failing["put"] = StoreUnavailableError("reset")

    house.transcoder.before = fail
    file = await house.film()
    await house.work()
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(house, file.id)
    assert 2 == len(house.transcoder.jobs)


class Gate:
    """Pauses the transcoder before a segment until ``proceed`` is set."""

    def __init__(self, name: str, number: int) -> None:
        self.at = (name, number)
        self.reached = asyncio.Event()
        self.proceed = asyncio.Event()

    def __call__(self, name: str, number: int) -> "asyncio.Future[None] | None":
        """Called before each segment."""
        return asyncio.ensure_future(self._wait()) if (name, number) == self.at else None

    async def _wait(self) -> None:
        self.reached.set()
        await self.proceed.wait()


def later_worker(house: House, transcoder: FakeTranscoder) -> SagaRunner:
    """Return another worker, for whom all leases have expired."""
    runner = house.worker(transcoder)[1]
    runner._clock = lambda: utc_now() + house.drive.clock.ahead + timedelta(minutes=1)
    return runner


async def test_another_worker_completes_the_step_of_a_paused_one(house: House) -> None:
    """When the first one continues, everything is done, and it changes nothing."""
    house.transcoder.before = gate = Gate("v480", 3)
    file = await house.film()
    paused = asyncio.create_task(house.runner.run_due())
    await gate.reached.wait()
    await eventually(_has_segments(house, file.id, {"v480": 3, "v360": 3}))
    second = FakeTranscoder()
    await later_worker(house, second).run_due()
    assert "READY" == (await house.file(file.id)).status
    assert [3] == [job.first for job in second.jobs]
    gate.proceed.set()
    await paused
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(house, file.id)
    assert 1 == len(await house.told("file.ready"))


async def test_a_file_that_is_purged_during_transcoding_leaves_nothing(house: House) -> None:
    house.transcoder.before = gate = Gate("v480", 3)
    file = await house.film()
    running = asyncio.create_task(house.runner.run_due())
    await gate.reached.wait()
    await house.purge(file.id)
    gate.proceed.set()
    await running
    await house.work()
    assert ({}, {}, 0) == (house.drive.store.objects, await house.renditions(file.id), await house.probed())
    assert [] == await house.told("file.ready") == await house.told("file.failed")
    assert house.transcoder.closed == len(house.transcoder.jobs)


async def test_a_worker_with_a_lost_lease_does_not_disturb_a_retry(house: House) -> None:
    """It continues when the saga has failed, was retried, and is at the same step again."""
    house.transcoder.before = gate = Gate("v480", 3)
    file = await house.film()
    paused = asyncio.create_task(house.runner.run_due())
    await gate.reached.wait()
    failing = FakeTranscoder(troubles=[(0, KILLED)] * 3)
    for _ in range(4):
        await later_worker(house, failing).run_due()
        house.drive.clock.pass_by(seconds=20)
    assert "FAILED" == (await house.file(file.id)).status
    await house.retry(file.id)
    second = FakeTranscoder()
    await later_worker(house, second).run_due()
    gate.proceed.set()
    await paused
    assert "READY" == (await house.file(file.id)).status
    for rendition in (await house.renditions(file.id)).values():
        assert init_key(rendition.key_prefix) in house.drive.store.objects
    assert await house.expected_objects(file.id) <= house.drive.store.objects.keys()


async def test_a_ready_video_that_is_purged_leaves_nothing(house: House) -> None:
    file = await house.film()
    await house.work()
    await house.purge(file.id)
    assert ({}, {}, 0) == (house.drive.store.objects, await house.renditions(file.id), await house.probed())


async def test_a_step_resumes_after_a_worker_was_killed_between_object_and_row(house: House) -> None:
    """Its objects exist already, and no key is written twice."""
    house.transcoder.troubles = [None, (6, KILLED)]
    file = await house.film()
    await house.runner.run_due()
    rendition = (await house.renditions(file.id))["v480"]
    for number in range(3, 5):
        house.drive.store.objects[f"{rendition.key_prefix}/{number:06d}.m4s"] = b"stored, and then killed"
    house.drive.clock.pass_by(seconds=20)
    await house.work()
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(house, file.id)


async def test_a_purge_finds_the_objects_of_a_worker_that_was_killed_between_object_and_row(house: House) -> None:
    """The keys of objects without a row follow from the rows."""
    house.transcoder.troubles = [None, (6, KILLED)]
    file = await house.film()
    await house.runner.run_due()
    rendition = (await house.renditions(file.id))["v480"]
    for number in range(3, 30):
        house.drive.store.objects[f"{rendition.key_prefix}/{number:06d}.m4s"] = b"stored, and then killed"
    await house.purge(file.id)
    assert {} == house.drive.store.objects


def _has_segments(house: House, file_id: str, counts: dict[str, int]) -> Callable[[], Awaitable[bool]]:
    async def has() -> bool:
        segments = await house.segments(file_id)
        return all(len(segments.get(name, [])) >= count for name, count in counts.items())

    return has
