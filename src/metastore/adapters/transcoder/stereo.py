"""Sound of any kind as stereo, as loud as it was."""

from fractions import Fraction

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.filter import Graph

_MONO, _STEREO = 1, 2
_LOUDEST = 0.97
"""Of what can be played; a little is left for what encoding adds."""


class Stereo:
    """Takes frames, one after another, and gives them as ``fltp`` of ``rate`` without times.

    One channel is heard from both sides. Of more than two the sum is limited where it would be too loud, rather than
    all of it made quieter, as speech in the centre would be hard to hear then.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._kind: tuple[str, str, int] | None = None
        self._way: _Resampled | _Mixed | None = None

    def of(self, frame: AudioFrame) -> list[AudioFrame]:
        """What comes of it and of what was held back before; some may be held back."""
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        given: list[AudioFrame] = []
        if self._way is None or kind != self._kind:
            given = self.rest()
            mixed = frame.layout.nb_channels > _STEREO
            self._kind, self._way = kind, (_Mixed if mixed else _Resampled)(frame, self._rate)
        return given + self._way.of(frame)

    def rest(self) -> list[AudioFrame]:
        """What was held back."""
        return self._way.of(None) if self._way is not None else []


class _Resampled:
    def __init__(self, like: AudioFrame, rate: int) -> None:
        self._is_mono = like.layout.nb_channels == _MONO
        self._resampler = AudioResampler(format="fltp", layout="mono" if self._is_mono else "stereo", rate=rate)

    def of(self, frame: AudioFrame | None) -> list[AudioFrame]:
        if frame is not None:
            frame.pts = None
        resampled = self._resampler.resample(frame)
        return [_from_both_sides(one) for one in resampled] if self._is_mono else resampled


class _Mixed:
    def __init__(self, like: AudioFrame, rate: int) -> None:
        self._graph = graph = Graph()
        self._unit = Fraction(1, like.sample_rate)
        self._samples = 0
        source = graph.add_abuffer(
            sample_rate=like.sample_rate, format=like.format.name, layout=like.layout.name, time_base=self._unit
        )
        mixing = graph.add("aresample", f"{rate}:out_chlayout=stereo:out_sample_fmt=fltp")
        limiting = graph.add("alimiter", f"limit={_LOUDEST}:level=0:latency=1")
        plain = graph.add("aformat", "sample_fmts=fltp")
        graph.link_nodes(source, mixing, limiting, plain, graph.add("abuffersink")).configure()

    def of(self, frame: AudioFrame | None) -> list[AudioFrame]:
        if frame is not None:
            frame.pts, frame.time_base = self._samples, self._unit
            self._samples += frame.samples
        self._graph.push(frame)
        given: list[AudioFrame] = []
        while True:
            try:
                mixed = self._graph.pull()
            except (BlockingIOError, av.EOFError):
                return given
            if isinstance(mixed, AudioFrame):
                given.append(mixed)


def _from_both_sides(mono: AudioFrame) -> AudioFrame:
    stereo = AudioFrame(format="fltp", layout="stereo", samples=mono.samples)
    stereo.sample_rate = mono.sample_rate
    for side in stereo.planes:
        side.update(bytes(mono.planes[0])[: side.buffer_size].ljust(side.buffer_size, b"\0"))
    return stereo
