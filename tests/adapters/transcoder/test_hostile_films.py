"""What was made to do harm does none, and what cannot be made sense of is refused with a sentence."""

import asyncio
import json
import os
import struct
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from metastore.adapters.sandbox.process import Limits
from metastore.adapters.transcoder.transcoder import SandboxTranscoder
from metastore.ports.media_tools import MediaRefusedError, MediaToolError
from metastore.ports.transcoder import Job, VideoRendition
from tests.adapters.transcoder.making import COPIED, RUNGS, SMALL, SOUND, SOUND_AS_IT_IS, made_of
from tests.fixtures.media import make_clip

Clip = Callable[[str], bytes]
_SENTENCE = r"^(The|There) .*\.$"
_DASH = (
    '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT10S">'
    '<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>{address}</BaseURL>'
    "</Representation></AdaptationSet></Period></MPD>"
)
_HARMFUL = {
    "nothing": "",
    "text": "hello world " * 100,
    "a playlist": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{address}\n#EXT-X-ENDLIST\n",
    "a master playlist": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{address}\n",
    "a manifest": _DASH,
    "a concatenation": "ffconcat version 1.0\nfile {address}\n",
    "a session": "v=0\nc=IN IP4 127.0.0.1\nm=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    "a redirection": "[Reference]\nRef1={address}\n",
    "the beginning of an mp4": "\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41\0\0\0\x08free",
}
_JOBS = {"copied": COPIED, "rungs": RUNGS, "aac": SOUND, "sound": SOUND_AS_IT_IS}


@pytest.fixture
async def canary() -> AsyncIterator[tuple[int, list[str]]]:
    """The port of a server, and who has connected to it."""
    visitors: list[str] = []

    async def visited(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visitors.append(str(writer.get_extra_info("peername")))
        writer.close()

    server = await asyncio.start_server(visited, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], visitors


@pytest.mark.parametrize("name", _HARMFUL)
async def test_what_leads_elsewhere_or_nowhere_is_refused_and_nothing_else_is_read(
    clip: Clip, canary: tuple[int, list[str]], tmp_path: Path, name: str
) -> None:
    port, visitors = canary
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(clip("plain"))
    for address in (f"http://127.0.0.1:{port}/secret.mp4", f"file://{secret}", str(secret)):
        content = _HARMFUL[name].format(address=address, port=port).encode("latin-1")
        with pytest.raises(MediaRefusedError, match=_SENTENCE):
            await made_of(content, Job("copied", SOUND.audio, RUNGS.rungs))
    assert [] == visitors


async def test_an_mp4_whose_table_is_missing_is_refused(clip: Clip) -> None:
    whole = clip("plain")
    with pytest.raises(MediaRefusedError, match=_SENTENCE):
        await made_of(whole[: whole.index(b"moov") - 4], RUNGS)


async def test_a_picture_is_not_to_be_had_of_sound_alone_nor_sound_of_a_silent_film(clip: Clip) -> None:
    with pytest.raises(MediaRefusedError, match=r"^The film has no picture\.$"):
        await made_of(clip("sound alone"), RUNGS)
    with pytest.raises(MediaRefusedError, match=_SENTENCE):
        await made_of(clip("rare keyframes"), SOUND)


async def test_a_cover_is_no_film(clip: Clip) -> None:
    with pytest.raises(MediaRefusedError, match=r"^The film has no picture\.$"):
        await made_of(clip("song with a cover"), RUNGS)
    assert (await made_of(clip("song with a cover"), SOUND))["sound"].segments


@pytest.mark.parametrize("job", _JOBS)
@pytest.mark.parametrize("seed", range(3))
async def test_a_film_with_damaged_frames_loses_no_more_than_those(clip: Clip, job: str, seed: int) -> None:
    damaged = bytearray(clip("moov first"))
    for place in range(damaged.index(b"mdat") + 200 + seed, len(damaged), 997 + 101 * seed):
        damaged[place] ^= 1 << (place + seed) % 8
    for rendition in (await made_of(bytes(damaged), _JOBS[job])).values():
        assert 1_000_000 < sum(segment.duration_us for segment in rendition.segments) <= 6_100_000


@pytest.mark.parametrize("job", _JOBS)
async def test_a_film_with_a_damaged_table_is_refused(clip: Clip, job: str) -> None:
    damaged = bytearray(clip("moov first"))
    for place in range(damaged.index(b"moov") + 4, damaged.index(b"mdat") - 8, 97):
        damaged[place] ^= 1 << place % 8
    with pytest.raises(MediaRefusedError, match=_SENTENCE):
        await made_of(bytes(damaged), _JOBS[job])


async def test_a_film_of_nothing_but_noise_is_refused(clip: Clip) -> None:
    """Its table is whole, its frames are not."""
    whole = clip("moov first")
    begins = whole.index(b"mdat") + 4
    noise = os.urandom(len(whole) - begins)
    with pytest.raises(MediaRefusedError, match=_SENTENCE):
        await made_of(whole[:begins] + noise, Job(rungs=[SMALL]))


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import time; time.sleep(60)", "too long"),
        ("import os; os.kill(os.getpid(), 9)", "died"),
        ("import sys; sys.stdout.buffer.write(b'M' + bytes(4) + b'\\xff' * 4); sys.stdout.flush()", "too much"),
        ("import sys; sys.stdout.buffer.write(b'M' + bytes(3) + b'\\2' + bytes(4) + b'{}')", "something else"),
    ],
)
async def test_a_child_that_hangs_dies_or_makes_too_much_is_a_failure_that_may_pass(program: str, said: str) -> None:
    limits = Limits(stalled_seconds=1.5, made=1000)
    transcoder = SandboxTranscoder(limits, (sys.executable, "-c", program))
    with pytest.raises(MediaToolError, match=said):
        await made_of(b"x", RUNGS, transcoder)


@pytest.mark.parametrize(
    "about",
    [
        {"kind": "segment", "rendition": "v", "number": 10**9, "start_us": 0, "duration_us": 1},
        {"kind": "segment", "rendition": "v", "number": "one", "start_us": 0, "duration_us": 1},
        {"kind": "started", "rendition": "v", "codecs": 'a",URI="b', "target_seconds": 4},
    ],
)
async def test_a_child_that_was_taken_over_gets_no_further_by_its_words(about: dict[str, object]) -> None:
    program = "import sys; sys.stdout.buffer.write(bytes.fromhex(sys.argv[1]))"
    header = json.dumps(about).encode()
    said = b"M" + struct.pack(">II", len(header), 0) + header
    transcoder = SandboxTranscoder(Limits(), (sys.executable, "-c", program, said.hex()))
    with pytest.raises(MediaToolError, match="something else"):
        await made_of(b"x", RUNGS, transcoder)


async def test_a_child_without_memory_is_a_failure_that_may_pass(clip: Clip) -> None:
    with pytest.raises(MediaToolError):
        await made_of(clip("plain"), RUNGS, SandboxTranscoder(Limits(memory=64 * 2**20)))


async def test_two_frames_that_are_days_apart_are_not_made_up_for_by_stills(tmp_path: Path) -> None:
    far_apart = ["-vf", "settb=1/1000,setpts=N*36000000", "-vsync", "passthrough", "-c:v", "mjpeg"]
    film = make_clip(tmp_path / "far.mkv", "-f", "lavfi", "-i", "testsrc2=size=64x36:rate=1:duration=2", *far_apart)
    with pytest.raises(MediaRefusedError, match=_SENTENCE):
        await made_of(film, Job(rungs=[VideoRendition("small", 64, 36, 100_000)]))


async def test_a_film_that_says_to_play_itself_over_and_over_does_not_for_days(clip: Clip) -> None:
    whole = clip("sound alone")
    begins = whole.index(b"elst") - 4
    length = int.from_bytes(whole[begins : begins + 4])
    times = 5000
    edits = bytes(4) + times.to_bytes(4) + (9000).to_bytes(4).join([b"", bytes(4) + (0x10000).to_bytes(4)]) * times
    film = bytearray(whole[:begins] + (len(edits) + 8).to_bytes(4) + b"elst" + edits + whole[begins + length :])
    for kind in (b"moov", b"trak", b"edts"):
        at = film.index(kind) - 4
        film[at : at + 4] = (int.from_bytes(film[at : at + 4]) + len(edits) + 8 - length).to_bytes(4)
    with pytest.raises(MediaRefusedError, match=_SENTENCE):
        await made_of(bytes(film), SOUND_AS_IT_IS)
