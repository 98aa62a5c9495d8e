"""Map HDR and wide-gamut colours to BT.709, as a table that FFmpeg's ``haldclut`` filter applies.

It takes a fraction of a second to compute. FFmpeg's scaler maps such colours as well, but needs seconds to prepare.

Tones are mapped as ITU-R BT.2390 (section 5.4) describes for displays that are less bright than the one a film was made
for: unchanged up to a knee, and ever more compressed above. The largest component decides, so that hues stay. HLG is
shown as on a display of 1,000 cd/m² (ITU-R BT.2100). SDR white is 203 cd/m² (ITU-R BT.2408). Colours outside BT.709 are
desaturated until they fit.
"""

from array import array
from collections.abc import Callable
from enum import StrEnum
from math import exp

from av.video.frame import VideoFrame

LEVEL = 6
"""A table of level n has n² values of each component, in a picture of n³ by n³ pixels."""
PIXEL_FORMAT = "gbrp16le"
SDR_PEAK, HLG_PEAK, PQ_PEAK = 203.0, 1000.0, 10_000.0
"""In cd/m²: white on an SDR screen, on the screen for which HLG is mapped, and the most that PQ can express."""
_DISPLAY_GAMMA, _HLG_GAMMA = 2.4, 1.2
_MAX = 65535
_TO_BT709 = (
    (1.660491, -0.587641, -0.072850),
    (-0.124550, 1.132900, -0.008349),
    (-0.018151, -0.100579, 1.118730),
)
"""Converts linear components with the primaries of BT.2020 (ITU-R BT.2407)."""
_LUMA_2020, _LUMA_709 = (0.2627, 0.6780, 0.0593), (0.2126, 0.7152, 0.0722)

Colour = tuple[float, float, float]
"""Linear red, green and blue."""
_Light = Callable[[int, int, int], Colour]
"""Returns the light of an SDR screen for the numbers of a red, a green and a blue node; 1 is white."""


class Transfer(StrEnum):
    """The transfer characteristics for which there are tables."""

    PQ = "pq"
    HLG = "hlg"
    SDR = "sdr"


def pq_to_light(signal: float) -> float:
    """Return the light of a PQ signal in cd/m² (SMPTE ST 2084)."""
    power = signal ** (32 / 2523)
    light: float = (max(power - 107 / 128, 0.0) / (2413 / 128 - 2392 / 128 * power)) ** (16384 / 2610)
    return PQ_PEAK * light


def light_to_pq(light: float) -> float:
    """Return the PQ signal of a light in cd/m²."""
    power: float = (light / PQ_PEAK) ** (2610 / 16384)
    signal: float = ((107 / 128 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)
    return signal


def hlg_to_scene(signal: float) -> float:
    """Return the light of the scene for an HLG signal (ITU-R BT.2100); both are at most 1."""
    if signal <= 0.5:
        return signal * signal / 3
    return (exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12


class ToneCurve:
    """Maps lights up to ``peak`` to those that an SDR screen shows, in cd/m²."""

    def __init__(self, peak: float) -> None:
        self._peak = peak
        self._signal = light_to_pq(peak)
        self._maximum = light_to_pq(SDR_PEAK) / self._signal
        self._knee = 1.5 * self._maximum - 0.5

    def map(self, light: float) -> float:
        """Return the light that is shown."""
        signal = light_to_pq(min(light, self._peak)) / self._signal
        if self._maximum >= 1 or signal <= self._knee:
            return min(light, SDR_PEAK)
        above = 1 - self._knee
        t = (signal - self._knee) / above
        mapped = (2 * t**3 - 3 * t**2 + 1) * self._knee + (t**3 - 2 * t**2 + t) * above
        return pq_to_light((mapped + (3 * t**2 - 2 * t**3) * self._maximum) * self._signal)


def table_frame(transfer: Transfer, peak: float) -> VideoFrame:
    """Compute the table for films with the primaries of BT.2020, as the picture that ``haldclut`` takes.

    ``peak`` is the brightest light of a PQ film in cd/m².
    """
    side = LEVEL**3
    frame = VideoFrame(side, side, PIXEL_FORMAT)
    red, green, blue = _components(transfer, peak)
    for plane, values in zip(frame.planes, (green, blue, red), strict=True):
        pixels = values.tobytes()
        rows = [pixels[start : start + 2 * side] for start in range(0, len(pixels), 2 * side)]
        plane.update(b"".join(row.ljust(plane.line_size, b"\0") for row in rows))
    return frame


def _components(transfer: Transfer, peak: float) -> "tuple[array[int], array[int], array[int]]":
    nodes = range(LEVEL**2)
    signals = [node / (LEVEL**2 - 1) for node in nodes]
    if transfer is Transfer.PQ:
        light = _pq(signals, peak)
    else:
        light = _hlg(signals) if transfer is Transfer.HLG else _sdr(signals)
    red_values, green_values, blue_values = array("H"), array("H"), array("H")
    for blue in nodes:
        for green in nodes:
            for red in nodes:
                fitted = _fit(*light(red, green, blue))
                red_values.append(_signal(fitted[0]))
                green_values.append(_signal(fitted[1]))
                blue_values.append(_signal(fitted[2]))
    return red_values, green_values, blue_values


def _pq(signals: list[float], peak: float) -> _Light:
    curve = ToneCurve(peak)
    lights = [min(pq_to_light(signal), peak) for signal in signals]
    factors = [curve.map(light) / light / SDR_PEAK if light else 0.0 for light in lights]

    def light(red: int, green: int, blue: int) -> Colour:
        factor = factors[max(red, green, blue)]
        return lights[red] * factor, lights[green] * factor, lights[blue] * factor

    return light


def _hlg(signals: list[float]) -> _Light:
    curve = ToneCurve(HLG_PEAK)
    scene = [hlg_to_scene(signal) for signal in signals]

    def light(red: int, green: int, blue: int) -> Colour:
        r, g, b = scene[red], scene[green], scene[blue]
        luminance = r * _LUMA_2020[0] + g * _LUMA_2020[1] + b * _LUMA_2020[2]
        if not luminance:
            return 0.0, 0.0, 0.0
        brightest = max(r, g, b)
        factor = curve.map(HLG_PEAK * luminance ** (_HLG_GAMMA - 1) * brightest) / brightest / SDR_PEAK
        return r * factor, g * factor, b * factor

    return light


def _sdr(signals: list[float]) -> _Light:
    lights = [signal**_DISPLAY_GAMMA for signal in signals]
    return lambda red, green, blue: (lights[red], lights[green], lights[blue])


def _fit(red: float, green: float, blue: float) -> Colour:
    """Convert a colour of BT.2020 to BT.709; desaturate it, at the same luminance, until it fits."""
    r, g, b = (row[0] * red + row[1] * green + row[2] * blue for row in _TO_BT709)
    lowest, highest = min(r, g, b), max(r, g, b)
    if lowest >= 0 and highest <= 1:
        return r, g, b
    luminance = min(r * _LUMA_709[0] + g * _LUMA_709[1] + b * _LUMA_709[2], 1.0)
    saturation = 1.0
    if highest > 1:
        saturation = (1 - luminance) / (highest - luminance)
    if lowest < 0:
        saturation = min(saturation, luminance / (luminance - lowest))
    return (
        luminance + (r - luminance) * saturation,
        luminance + (g - luminance) * saturation,
        luminance + (b - luminance) * saturation,
    )


def _signal(light: float) -> int:
    signal: float = min(max(light, 0.0), 1.0) ** (1 / _DISPLAY_GAMMA)
    return round(signal * _MAX)
