"""The saga steps ``package`` and ``transcode``, with interruptions of every kind."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from metastore.features.media.objects.keys import init_key
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.kit.saga.runner import SagaRunner
from metastore.ports.media_tools import (
    AudioTrack,
    MediaRefusedError,
    MediaToolError,
    NotCopyableError,
)
from metastore.ports.object_store import StoreUnavailableError
from tests.fixtures.media_fakes import FILM, SOUND, FakeTranscoder
from tests.fixtures.media_pipeline import MediaPipeline
from tests.fixtures.waiting import eventually

KILLED = MediaToolError("killed")


async def finished_renditions(pipeline: MediaPipeline, file_id: str) -> list[str]:
    """Return the names of a file's renditions, after checking that all are done and that rows and objects match."""
    renditions = await pipeline.renditions(file_id)
    assert {"done"} == {rendition.state for rendition in renditions.values()}
    numbers = list(range(pipeline.transcoder.segments))
    assert dict.fromkeys(renditions, numbers) == await pipeline.segments(file_id)
    assert await pipeline.expected_objects(file_id) == {key for key in await pipeline.derived() if "/hls/" in key}
    for name, rendition in renditions.items():
        stored = pipeline.drive.store.objects[init_key(rendition.key_prefix)]
        assert pipeline.transcoder.init(name) == stored
        for number in numbers:
            key = f"{rendition.key_prefix}/{number:06d}.m4s"
            assert pipeline.transcoder.data(name, number) == pipeline.drive.store.objects[key]
    return sorted(renditions)


async def test_a_video_is_packaged_then_gets_thumbnails_then_is_transcoded(pipeline: MediaPipeline) -> None:
    file = await pipeline.film()
    await pipeline.work()
    assert "READY" == (await pipeline.file(file.id)).status
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(pipeline, file.id)
    package, transcode = pipeline.transcoder.jobs
    assert ("v720", ["a0"], []) == (package.copied_video, [t.name for t in package.audio], list(package.rungs))
    assert ([], ["v480", "v360"], 0) == (list(transcode.audio), [r.name for r in transcode.rungs], transcode.first)
    assert [4_000_000 * number for number in range(5)] == list(transcode.cuts_us)
    assert ["probe", "thumbnails", "sprite"] == pipeline.tools.calls
    audio = (await pipeline.renditions(file.id))["a0"]
    assert ("vi", "Tiếng Việt", True, True) == (audio.language, audio.title, audio.is_default, audio.copied)
    assert (100, 100) == (audio.bandwidth, audio.average_bandwidth)


async def test_a_video_can_be_played_once_it_has_a_video_and_an_audio_segment(pipeline: MediaPipeline) -> None:
    playable: list[bool] = []
    file = await pipeline.film()

    def observe(name: str, number: int) -> "asyncio.Future[None]":
        async def read() -> None:
            playable.append((await pipeline.node(file.id)).playable_at is not None)

        return asyncio.ensure_future(read())

    pipeline.transcoder.before = observe
    await pipeline.work()
    assert not playable[0]
    assert playable[-1]
    sent = [data for _, event, data in pipeline.realtime.sent if event == "file.progress" and isinstance(data, dict)]
    assert [("package", True)] == [(data["step"], data["playable"]) for data in sent if "playable" in data]
    assert sent.index(next(d for d in sent if "playable" in d)) < sent.index(
        next(d for d in sent if d["step"] == "transcode")
    )


async def test_progress_is_the_share_of_the_video_that_is_done(pipeline: MediaPipeline) -> None:
    percents: list[int] = []
    file = await pipeline.film()

    def observe(name: str, number: int) -> "asyncio.Future[None]":
        async def read() -> None:
            await asyncio.sleep(0.1)
            percents.append((await pipeline.file(file.id)).processing.progress or 0)

        return asyncio.ensure_future(read())

    pipeline.transcoder.before = observe
    await pipeline.work()
    assert max(percents) >= 40
    assert len(set(percents)) > 3


@pytest.mark.parametrize("tracks", [0, 2])
async def test_a_video_may_have_any_number_of_audio_tracks(pipeline: MediaPipeline, tracks: int) -> None:
    file = await pipeline.film()
    pipeline.tools.probe_result = replace(FILM, audio_tracks=(AudioTrack("aac"),) * tracks)
    await pipeline.work()
    assert [*(f"a{n}" for n in range(tracks)), "v360", "v480", "v720"] == await finished_renditions(pipeline, file.id)
    assert (await pipeline.node(file.id)).playable_at


async def test_a_video_that_cannot_be_copied_is_encoded(pipeline: MediaPipeline) -> None:
    file = await pipeline.film()
    pipeline.tools.probe_result = replace(FILM, video_copyable=False)
    await pipeline.work()
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(pipeline, file.id)
    package, transcode = pipeline.transcoder.jobs
    assert (None, ()) == (package.copied_video, tuple(transcode.cuts_us))
    assert ["v720", "v480", "v360"] == [rung.name for rung in transcode.rungs]


async def test_a_video_to_be_encoded_is_playable_in_its_smallest_size_before_the_rest_is_made(
    pipeline: MediaPipeline,
) -> None:
    file = await pipeline.film()
    pipeline.tools.probe_result = replace(FILM, video_copyable=False)
    await pipeline.work()
    package, transcode = pipeline.transcoder.jobs
    assert (["v360"], 1) == ([rung.name for rung in package.rungs], package.until)
    assert (0, None) == (transcode.first, transcode.until)
    sent = [data for _, event, data in pipeline.realtime.sent if event == "file.progress" and isinstance(data, dict)]
    assert ["package"] == [data["step"] for data in sent if "playable" in data]
    assert 5 == len((await pipeline.segments(file.id))["v360"])


async def test_a_video_without_sound_that_is_to_be_encoded_is_soon_playable(pipeline: MediaPipeline) -> None:
    file = await pipeline.film()
    pipeline.tools.probe_result = replace(FILM, video_copyable=False, audio_tracks=())
    await pipeline.work()
    assert [1, None] == [job.until for job in pipeline.transcoder.jobs]
    assert ["v360", "v480", "v720"] == await finished_renditions(pipeline, file.id)


async def test_the_beginning_of_a_video_is_encoded_once_although_the_worker_is_killed(pipeline: MediaPipeline) -> None:
    pipeline.transcoder.failures = [(3, KILLED)]
    file = await pipeline.film()
    pipeline.tools.probe_result = replace(FILM, video_copyable=False)
    await pipeline.work()
    assert [1, None, None] == [job.until for job in pipeline.transcoder.jobs]
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(pipeline, file.id)


async def test_a_small_video_is_encoded_in_one_go(pipeline: MediaPipeline) -> None:
    file = await pipeline.film()
    pipeline.tools.probe_result = replace(FILM, video_copyable=False, width=320, height=180)
    await pipeline.work()
    assert [None, None] == [job.until for job in pipeline.transcoder.jobs]
    assert ["a0", "v180"] == await finished_renditions(pipeline, file.id)


async def test_a_video_that_turns_out_not_to_be_copyable_is_encoded_instead(pipeline: MediaPipeline) -> None:
    pipeline.transcoder.failures = [(7, NotCopyableError(ReasonCode.FILM_NOT_COPYABLE))]
    file = await pipeline.film()
    await pipeline.work()
    assert "READY" == (await pipeline.file(file.id)).status
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(pipeline, file.id)
    assert {False} == {r.copied for name, r in (await pipeline.renditions(file.id)).items() if name != "a0"}
    assert ["v720", None, None] == [job.copied_video for job in pipeline.transcoder.jobs]
    assert (await pipeline.node(file.id)).playable_at


async def test_an_audio_file_gets_a_rendition_and_a_waveform_and_no_image(pipeline: MediaPipeline) -> None:
    pipeline.tools.probe_result = SOUND
    file = await pipeline.upload(name="song.jpg")
    await pipeline.work()
    assert ["a0"] == await finished_renditions(pipeline, file.id)
    assert ["probe", "waveform"] == pipeline.tools.calls
    assert (await pipeline.node(file.id)).playable_at
    assert 1 == len(pipeline.transcoder.jobs)


async def test_a_killed_transcode_step_resumes_where_it_was(pipeline: MediaPipeline) -> None:
    """Five segments of two rungs exist: three of one, two of the other."""
    pipeline.transcoder.failures = [None, (5, KILLED)]
    file = await pipeline.film()
    await pipeline.work()
    assert "READY" == (await pipeline.file(file.id)).status
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(pipeline, file.id)
    assert [0, 0, 2] == [job.first for job in pipeline.transcoder.jobs]


async def test_a_killed_package_step_starts_again(pipeline: MediaPipeline) -> None:
    pipeline.transcoder.failures = [(5, KILLED)]
    file = await pipeline.film()
    await pipeline.work()
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(pipeline, file.id)
    assert ["v720", "v720", None] == [job.copied_video for job in pipeline.transcoder.jobs]


async def test_a_transcode_step_that_makes_progress_each_time_succeeds(pipeline: MediaPipeline) -> None:
    """Ten interruptions, each after two segments, do not fail the saga."""
    pipeline.transcoder.segments = 20
    pipeline.transcoder.failures = [None, *[(4, KILLED)] * 9]
    file = await pipeline.film()
    await pipeline.work(rounds=16)
    assert "READY" == (await pipeline.file(file.id)).status
    assert [0, *range(0, 20, 2)] == [job.first for job in pipeline.transcoder.jobs]
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(pipeline, file.id)


@pytest.mark.parametrize("at", [0, 3])
async def test_a_step_that_is_killed_three_times_at_the_same_place_fails_and_leaves_nothing(
    pipeline: MediaPipeline, at: int
) -> None:
    pipeline.transcoder.failures = [None, (at, KILLED), *[(0, KILLED)] * 3]
    file = await pipeline.film()
    await pipeline.work()
    failed = await pipeline.file(file.id)
    assert ("FAILED", "transcode", True) == (failed.status, failed.processing.step, failed.processing.retryable)
    assert 3 == len(pipeline.transcoder.jobs) - 1
    assert (set(), {}, 0) == (await pipeline.derived(), await pipeline.renditions(file.id), await pipeline.probed())
    assert (await pipeline.node(file.id)).playable_at is None
    assert 1 == len(await pipeline.recorded("file.failed"))

    pipeline.transcoder.failures = []
    await pipeline.retry(file.id)
    await pipeline.work()
    assert "READY" == (await pipeline.file(file.id)).status
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(pipeline, file.id)


async def test_a_refused_video_fails_at_once_with_the_reason(pipeline: MediaPipeline) -> None:
    pipeline.transcoder.failures = [(2, MediaRefusedError(ReasonCode.FILM_UNREADABLE))]
    file = await pipeline.film()
    await pipeline.work()
    failed = await pipeline.file(file.id)
    assert ("FAILED", ReasonCode.FILM_UNREADABLE.sentence, ReasonCode.FILM_UNREADABLE, False) == (
        failed.status,
        failed.processing.error,
        failed.processing.reason_code,
        failed.processing.retryable,
    )
    assert set() == await pipeline.derived()


async def test_renditions_that_cannot_be_resumed_are_started_again(pipeline: MediaPipeline) -> None:
    """The encoder was replaced by another one between two attempts."""
    pipeline.transcoder.failures = [None, (5, KILLED)]
    pipeline.transcoder.changes_at_job = 3
    file = await pipeline.film()
    await pipeline.work()
    renditions = await pipeline.renditions(file.id)
    assert {"v360": "2", "v480": "2", "v720": "1"} == {
        name: pipeline.drive.store.objects[init_key(rendition.key_prefix)].decode()[-1]
        for name, rendition in renditions.items()
        if name != "a0"
    }
    assert await pipeline.expected_objects(file.id) == {key for key in await pipeline.derived() if "/hls/" in key}
    assert [0, 0, 2, 0] == [job.first for job in pipeline.transcoder.jobs]


@pytest.mark.parametrize("before_effect", [True, False])
async def test_puts_are_retried_through_a_short_outage_of_the_store(
    pipeline: MediaPipeline, before_effect: bool
) -> None:
    def fail(_name: str, number: int) -> None:
        if number == 3:
            failing = pipeline.drive.store.fail_next if before_effect else pipeline.drive.store.fail_after
            failing["put"] = StoreUnavailableError("reset")

    pipeline.transcoder.before = fail
    file = await pipeline.film()
    await pipeline.work()
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(pipeline, file.id)
    assert 2 == len(pipeline.transcoder.jobs)


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


def later_worker(pipeline: MediaPipeline, transcoder: FakeTranscoder) -> SagaRunner:
    """Return another worker, for whom all leases have expired."""
    return pipeline.worker(transcoder, lambda: pipeline.drive.clock() + timedelta(minutes=1))[1]


async def test_another_worker_completes_the_step_of_a_paused_one(pipeline: MediaPipeline) -> None:
    """When the first one continues, everything is done, and it changes nothing."""
    pipeline.transcoder.before = gate = Gate("v480", 3)
    file = await pipeline.film()
    paused = asyncio.create_task(pipeline.runner.run_due())
    await gate.reached.wait()
    await eventually(_has_segments(pipeline, file.id, {"v480": 3, "v360": 3}))
    second = FakeTranscoder()
    await later_worker(pipeline, second).run_due()
    assert "READY" == (await pipeline.file(file.id)).status
    assert [3] == [job.first for job in second.jobs]
    gate.proceed.set()
    await paused
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(pipeline, file.id)
    assert 1 == len(await pipeline.recorded("file.ready"))


async def test_a_file_that_is_purged_during_transcoding_leaves_nothing(pipeline: MediaPipeline) -> None:
    pipeline.transcoder.before = gate = Gate("v480", 3)
    file = await pipeline.film()
    running = asyncio.create_task(pipeline.runner.run_due())
    await gate.reached.wait()
    await pipeline.purge(file.id)
    gate.proceed.set()
    await running
    await pipeline.work()
    assert ({}, {}, 0) == (pipeline.drive.store.objects, await pipeline.renditions(file.id), await pipeline.probed())
    assert [] == await pipeline.recorded("file.ready") == await pipeline.recorded("file.failed")
    assert pipeline.transcoder.closed == len(pipeline.transcoder.jobs)


async def test_a_worker_with_a_lost_lease_does_not_disturb_a_retry(pipeline: MediaPipeline) -> None:
    """It continues when the saga has failed, was retried, and is at the same step again."""
    pipeline.transcoder.before = gate = Gate("v480", 3)
    file = await pipeline.film()
    paused = asyncio.create_task(pipeline.runner.run_due())
    await gate.reached.wait()
    failing = FakeTranscoder(failures=[(0, KILLED)] * 3)
    for _ in range(4):
        await later_worker(pipeline, failing).run_due()
        pipeline.drive.clock.advance(seconds=20)
    assert "FAILED" == (await pipeline.file(file.id)).status
    await pipeline.retry(file.id)
    second = FakeTranscoder()
    await later_worker(pipeline, second).run_due()
    gate.proceed.set()
    await paused
    assert "READY" == (await pipeline.file(file.id)).status
    for rendition in (await pipeline.renditions(file.id)).values():
        assert init_key(rendition.key_prefix) in pipeline.drive.store.objects
    assert await pipeline.expected_objects(file.id) <= pipeline.drive.store.objects.keys()


async def test_a_ready_video_that_is_purged_leaves_nothing(pipeline: MediaPipeline) -> None:
    file = await pipeline.film()
    await pipeline.work()
    await pipeline.purge(file.id)
    assert ({}, {}, 0) == (pipeline.drive.store.objects, await pipeline.renditions(file.id), await pipeline.probed())


async def test_a_step_resumes_after_a_worker_was_killed_between_object_and_row(pipeline: MediaPipeline) -> None:
    """Its objects exist already, and no key is written twice."""
    pipeline.transcoder.failures = [None, (6, KILLED)]
    file = await pipeline.film()
    await pipeline.runner.run_due()
    rendition = (await pipeline.renditions(file.id))["v480"]
    for number in range(3, 5):
        pipeline.drive.store.objects[f"{rendition.key_prefix}/{number:06d}.m4s"] = b"stored, and then killed"
    pipeline.drive.clock.advance(seconds=20)
    await pipeline.work()
    assert ["a0", "v360", "v480", "v720"] == await finished_renditions(pipeline, file.id)


async def test_a_purge_finds_the_objects_of_a_worker_that_was_killed_between_object_and_row(
    pipeline: MediaPipeline,
) -> None:
    """The keys of objects without a row follow from the rows."""
    pipeline.transcoder.failures = [None, (6, KILLED)]
    file = await pipeline.film()
    await pipeline.runner.run_due()
    rendition = (await pipeline.renditions(file.id))["v480"]
    for number in range(3, 30):
        pipeline.drive.store.objects[f"{rendition.key_prefix}/{number:06d}.m4s"] = b"stored, and then killed"
    await pipeline.purge(file.id)
    assert {} == pipeline.drive.store.objects


def _has_segments(pipeline: MediaPipeline, file_id: str, counts: dict[str, int]) -> Callable[[], Awaitable[bool]]:
    async def has() -> bool:
        segments = await pipeline.segments(file_id)
        return all(len(segments.get(name, [])) >= count for name, count in counts.items())

    return has
