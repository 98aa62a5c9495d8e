"""Hostile and damaged sources do no harm, and are refused with a message for the user."""

import asyncio
import json
import os
import struct
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from metastore.adapters.sandbox.children import ProgramChildren
from metastore.adapters.sandbox.supervisor import Limits
from metastore.adapters.transcoder.sandboxed_transcoder import SandboxedTranscoder
from metastore.ports.media_tools import MediaRefusedError, MediaToolError
from metastore.ports.transcoder import Job, VideoRendition
from tests.adapters.transcoder.transcoding import (
    AUDIO_COPIED,
    AUDIO_ENCODED,
    COPIED,
    RUNGS,
    SMALL,
    lengths,
    transcode,
)
from tests.fixtures.media import make_clip

Clip = Callable[[str], bytes]
_MESSAGE = r"^(The|There) .*\.$"
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
    "a session description": "v=0\nc=IN IP4 127.0.0.1\nm=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    "a redirection": "[Reference]\nRef1={address}\n",
    "the beginning of an mp4": "\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41\0\0\0\x08free",
}


@pytest.fixture
async def canary() -> AsyncIterator[tuple[int, list[str]]]:
    """The port of a server that nothing may connect to, and the clients that did."""
    clients: list[str] = []

    async def on_connect(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clients.append(str(writer.get_extra_info("peername")))
        writer.close()

    server = await asyncio.start_server(on_connect, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], clients


@pytest.mark.parametrize("name", _HARMFUL)
async def test_references_to_other_files_and_servers_are_refused_and_not_followed(
    clip: Clip, canary: tuple[int, list[str]], tmp_path: Path, name: str
) -> None:
    port, clients = canary
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(clip("plain"))
    for address in (f"http://127.0.0.1:{port}/secret.mp4", f"file://{secret}", str(secret)):
        content = _HARMFUL[name].format(address=address, port=port).encode("latin-1")
        with pytest.raises(MediaRefusedError, match=_MESSAGE):
            await transcode(content, Job("copied", AUDIO_ENCODED.audio, RUNGS.rungs))
    assert [] == clients


async def test_an_mp4_without_its_moov_box_is_refused(clip: Clip) -> None:
    whole = clip("plain")
    with pytest.raises(MediaRefusedError, match=_MESSAGE):
        await transcode(whole[: whole.index(b"moov") - 4], RUNGS)


async def test_missing_streams_are_refused(clip: Clip) -> None:
    with pytest.raises(MediaRefusedError, match=r"^The film has no picture\.$"):
        await transcode(clip("sound alone"), RUNGS)
    with pytest.raises(MediaRefusedError, match=r"^An audio track is missing, or its format is not supported\.$"):
        await transcode(clip("rare keyframes"), AUDIO_ENCODED)


async def test_a_cover_is_not_a_video_stream(clip: Clip) -> None:
    with pytest.raises(MediaRefusedError, match=r"^The film has no picture\.$"):
        await transcode(clip("song with a cover"), RUNGS)
    assert (await transcode(clip("song with a cover"), AUDIO_ENCODED))["sound"].segments


@pytest.mark.parametrize("job", [COPIED, RUNGS, AUDIO_ENCODED, AUDIO_COPIED], ids=["copied", "rungs", "aac", "sound"])
@pytest.mark.parametrize("seed", range(4))
async def test_a_video_with_bit_errors_is_transcoded_as_far_as_it_can_be_read(clip: Clip, job: Job, seed: int) -> None:
    """Some frames may be missing, but the renditions are valid, and nearly as long as the source (6 s)."""
    damaged = bytearray(clip("moov first"))
    step = 997 + 101 * seed
    for position in range(damaged.index(b"mdat") + 200 + seed, len(damaged), step):
        damaged[position] ^= 1 << (position + seed) % 8
    for rendition in (await transcode(bytes(damaged), job)).values():
        assert 5 < sum(lengths(rendition.segments)) < 6.1


@pytest.mark.parametrize("job", [COPIED, RUNGS, AUDIO_ENCODED, AUDIO_COPIED], ids=["copied", "rungs", "aac", "sound"])
async def test_a_video_with_a_damaged_moov_box_is_refused(clip: Clip, job: Job) -> None:
    """Its sample tables contain impossible numbers."""
    damaged = bytearray(clip("moov first"))
    for table in (b"stsc", b"stsz", b"stco", b"stts"):
        position = damaged.find(table)
        while position >= 0:
            damaged[position + 12 : position + 20] = b"\xff" * 8
            position = damaged.find(table, position + 4)
    with pytest.raises(MediaRefusedError, match=_MESSAGE):
        await transcode(bytes(damaged), job)


async def test_a_video_of_undecodable_frames_is_refused(clip: Clip) -> None:
    """Its moov box is intact, its frames are random bytes."""
    whole = clip("moov first")
    begins = whole.index(b"mdat") + 4
    noise = os.urandom(len(whole) - begins)
    with pytest.raises(MediaRefusedError, match=_MESSAGE):
        await transcode(whole[:begins] + noise, Job(rungs=[SMALL]))


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import time; time.sleep(60)", "time limit"),
        ("import os; os.kill(os.getpid(), 9)", "exited early"),
        ("import sys; sys.stdout.buffer.write(b'M' + bytes(4) + b'\\xff' * 4); sys.stdout.flush()", "too much"),
        ("import sys; sys.stdout.buffer.write(b'M' + bytes(3) + b'\\2' + bytes(4) + b'{}')", "invalid result"),
    ],
)
async def test_a_child_that_hangs_dies_or_emits_too_much_is_a_transient_failure(program: str, message: str) -> None:
    limits = Limits(stalled_seconds=1.5, made=1000)
    transcoder = SandboxedTranscoder(limits, ProgramChildren((sys.executable, "-c", program)))
    with pytest.raises(MediaToolError, match=message):
        await transcode(b"x", RUNGS, transcoder)


@pytest.mark.parametrize(
    "header",
    [
        {"kind": "segment", "rendition": "v", "number": 10**9, "start_us": 0, "duration_us": 1},
        {"kind": "segment", "rendition": "v", "number": "one", "start_us": 0, "duration_us": 1},
        {"kind": "started", "rendition": "v", "codecs": 'a",URI="b', "target_seconds": 4},
    ],
)
async def test_invalid_results_of_a_child_are_rejected(header: dict[str, object]) -> None:
    program = "import sys; sys.stdout.buffer.write(bytes.fromhex(sys.argv[1]))"
    encoded = json.dumps(header).encode()
    output = b"M" + struct.pack(">II", len(encoded), 0) + encoded
    transcoder = SandboxedTranscoder(Limits(), ProgramChildren((sys.executable, "-c", program, output.hex())))
    with pytest.raises(MediaToolError, match="invalid result"):
        await transcode(b"x", RUNGS, transcoder)


async def test_a_child_without_memory_is_a_transient_failure(clip: Clip) -> None:
    with pytest.raises(MediaToolError):
        await transcode(clip("plain"), RUNGS, SandboxedTranscoder(Limits(memory=64 * 2**20)))


async def test_a_gap_of_days_is_not_filled_with_repeated_frames(tmp_path: Path) -> None:
    far_apart = ["-vf", "settb=1/1000,setpts=N*36000000", "-vsync", "passthrough", "-c:v", "mjpeg"]
    video = make_clip(tmp_path / "far.mkv", "-f", "lavfi", "-i", "testsrc2=size=64x36:rate=1:duration=2", *far_apart)
    with pytest.raises(MediaRefusedError, match=_MESSAGE):
        await transcode(video, Job(rungs=[VideoRendition("small", 64, 36, 100_000)]))


async def test_an_edit_list_that_repeats_the_audio_for_days_is_refused(clip: Clip) -> None:
    whole = clip("sound alone")
    begins = whole.index(b"elst") - 4
    length = int.from_bytes(whole[begins : begins + 4])
    times = 5000
    edits = bytes(4) + times.to_bytes(4) + (9000).to_bytes(4).join([b"", bytes(4) + (0x10000).to_bytes(4)]) * times
    audio = bytearray(whole[:begins] + (len(edits) + 8).to_bytes(4) + b"elst" + edits + whole[begins + length :])
    for kind in (b"moov", b"trak", b"edts"):
        at = audio.index(kind) - 4
        audio[at : at + 4] = (int.from_bytes(audio[at : at + 4]) + len(edits) + 8 - length).to_bytes(4)
    with pytest.raises(MediaRefusedError, match=_MESSAGE):
        await transcode(bytes(audio), AUDIO_COPIED)
