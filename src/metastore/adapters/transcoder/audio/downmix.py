"""Convert audio of any channel layout to stereo without changing its loudness."""

from fractions import Fraction

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.filter import Graph

_MONO, _STEREO = 1, 2
_PEAK_LIMIT = 0.97
"""Relative to full scale; leaves headroom for the encoder."""


class Downmix:
    """Converts consecutive frames to ``fltp`` stereo frames of ``rate``, without timestamps.

    Mono is played on both channels. A mix of more than two channels is limited where it would clip, rather than
    attenuated as a whole, which would make speech in the centre channel hard to understand.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._form: tuple[str, str, int] | None = None
        self._converter: _Resampler | _Mixer | None = None

    def convert(self, frame: AudioFrame) -> list[AudioFrame]:
        """Convert a frame; return what is ready, possibly with a delay."""
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        converted: list[AudioFrame] = []
        if self._converter is None or form != self._form:
            converted = self.flush()
            has_surround = frame.layout.nb_channels > _STEREO
            self._form, self._converter = form, (_Mixer if has_surround else _Resampler)(frame, self._rate)
        return converted + self._converter.convert(frame)

    def flush(self) -> list[AudioFrame]:
        """Return the delayed frames."""
        return self._converter.convert(None) if self._converter is not None else []


class _Resampler:
    def __init__(self, like: AudioFrame, rate: int) -> None:
        self._is_mono = like.layout.nb_channels == _MONO
        self._resampler = AudioResampler(format="fltp", layout="mono" if self._is_mono else "stereo", rate=rate)

    def convert(self, frame: AudioFrame | None) -> list[AudioFrame]:
        if frame is not None:
            frame.pts = None
        resampled = self._resampler.resample(frame)
        return [_to_both_channels(one) for one in resampled] if self._is_mono else resampled


class _Mixer:
    def __init__(self, like: AudioFrame, rate: int) -> None:
        self._graph = graph = Graph()
        self._time_base = Fraction(1, like.sample_rate)
        self._samples = 0
        source = graph.add_abuffer(
            sample_rate=like.sample_rate, format=like.format.name, layout=like.layout.name, time_base=self._time_base
        )
        mixer = graph.add("aresample", f"{rate}:out_chlayout=stereo:out_sample_fmt=fltp")
        limiter = graph.add("alimiter", f"limit={_PEAK_LIMIT}:level=0:latency=1")
        output_format = graph.add("aformat", "sample_fmts=fltp")
        graph.link_nodes(source, mixer, limiter, output_format, graph.add("abuffersink")).configure()

    def convert(self, frame: AudioFrame | None) -> list[AudioFrame]:
        if frame is not None:
            frame.pts, frame.time_base = self._samples, self._time_base
            self._samples += frame.samples
        self._graph.push(frame)
        converted: list[AudioFrame] = []
        while True:
            try:
                mixed = self._graph.pull()
            except (BlockingIOError, av.EOFError):
                return converted
            if isinstance(mixed, AudioFrame):
                converted.append(mixed)


def _to_both_channels(mono: AudioFrame) -> AudioFrame:
    stereo = AudioFrame(format="fltp", layout="stereo", samples=mono.samples)
    stereo.sample_rate = mono.sample_rate
    for channel in stereo.planes:
        channel.update(bytes(mono.planes[0])[: channel.buffer_size].ljust(channel.buffer_size, b"\0"))
    return stereo
