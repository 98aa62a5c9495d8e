"""HDR and wide-gamut colours look right on SDR screens."""

import struct

import pytest

from metastore.adapters.transcoder.video.tone_mapping import (
    HLG_PEAK,
    LEVEL,
    PQ_PEAK,
    SDR_PEAK,
    ToneCurve,
    Transfer,
    hlg_to_scene,
    light_to_pq,
    pq_to_light,
    table_frame,
)

_NODES = LEVEL**2
_LAST = _NODES - 1
_CORNERS = [(red, green, blue) for red in (0, _LAST) for green in (0, _LAST) for blue in (0, _LAST)]


class Table:
    """A table whose nodes can be read; components are signals of an SDR screen, from 0 to 1."""

    def __init__(self, transfer: Transfer, peak: float = 1000.0) -> None:
        frame = table_frame(transfer, peak)
        self._row = frame.planes[0].line_size
        self._green, self._blue, self._red = (bytes(plane) for plane in frame.planes)

    def __getitem__(self, node: tuple[int, int, int]) -> tuple[float, float, float]:
        """Return the colour for the numbers of a red, a green and a blue node."""
        row, column = divmod(node[0] + node[1] * _NODES + node[2] * _NODES**2, LEVEL**3)
        at = row * self._row + 2 * column
        red, green, blue = (
            struct.unpack_from("=H", plane, at)[0] / 65535 for plane in (self._red, self._green, self._blue)
        )
        return red, green, blue


@pytest.fixture(scope="module", params=list(Transfer))
def table(request: pytest.FixtureRequest) -> Table:
    """Each table."""
    return Table(request.param)


@pytest.mark.parametrize(("light", "signal"), [(0.0, 0.0), (100.0, 0.5081), (203.0, 0.5807), (1000.0, 0.7518)])
def test_pq_signals_have_the_light_of_the_standard(light: float, signal: float) -> None:
    assert signal == pytest.approx(light_to_pq(light), abs=1e-4)
    assert light == pytest.approx(pq_to_light(light_to_pq(light)), abs=1e-6)


@pytest.mark.parametrize(("signal", "scene"), [(0.0, 0.0), (0.5, 1 / 12), (0.75, 0.2650), (1.0, 1.0)])
def test_hlg_signals_have_the_light_of_the_standard(signal: float, scene: float) -> None:
    assert scene == pytest.approx(hlg_to_scene(signal), abs=1e-4)


@pytest.mark.parametrize("peak", [SDR_PEAK, 600.0, HLG_PEAK, 4000.0, PQ_PEAK])
def test_a_tone_curve_keeps_shadows_and_compresses_highlights_up_to_the_peak(peak: float) -> None:
    curve = ToneCurve(peak)
    lights = [peak * step / 200 for step in range(201)]
    shown = [curve.map(light) for light in lights]
    assert shown == sorted(shown)
    assert all(after <= before + 1e-9 for before, after in zip(lights, shown, strict=True))
    assert 5.0 == pytest.approx(curve.map(5.0))
    assert SDR_PEAK == pytest.approx(shown[-1], rel=1e-3)
    assert SDR_PEAK == pytest.approx(curve.map(2 * peak), rel=1e-3)


def test_highlights_are_darker_the_brighter_the_film_may_be() -> None:
    assert ToneCurve(4000.0).map(SDR_PEAK) < ToneCurve(1000.0).map(SDR_PEAK) < SDR_PEAK


def test_grey_stays_grey_and_grows_brighter(table: Table) -> None:
    greys = [table[node, node, node] for node in range(_NODES)]
    assert all(max(grey) - min(grey) < 1e-3 for grey in greys)
    assert [0.0, 1.0] == pytest.approx([greys[0][0], greys[-1][0]], abs=1e-3)
    assert greys == sorted(greys)


def test_white_paper_is_bright_but_leaves_room_for_highlights() -> None:
    """203 cd/m² is white paper in HDR films: 58 % of the signal of PQ, and 75 % of that of HLG."""
    for transfer, node in ((Transfer.PQ, round(0.58 * _LAST)), (Transfer.HLG, round(0.75 * _LAST))):
        assert 0.85 < Table(transfer)[node, node, node][1] < 0.95


def test_primaries_keep_their_hue(table: Table) -> None:
    red, green, blue = table[_LAST, 0, 0], table[0, _LAST, 0], table[0, 0, _LAST]
    assert 0 == red.index(max(red))
    assert 1 == green.index(max(green))
    assert 2 == blue.index(max(blue))


def test_a_colour_that_fits_is_only_converted() -> None:
    """Compared with the colour in linear light, as ITU-R BT.2087 converts it the other way."""
    node = (24, 20, 18)
    shown = [signal**2.4 for signal in Table(Transfer.SDR)[node]]
    back = (
        0.6274 * shown[0] + 0.3293 * shown[1] + 0.0433 * shown[2],
        0.0691 * shown[0] + 0.9195 * shown[1] + 0.0114 * shown[2],
        0.0164 * shown[0] + 0.0880 * shown[1] + 0.8956 * shown[2],
    )
    assert back == pytest.approx([(number / _LAST) ** 2.4 for number in node], abs=2e-3)


@pytest.mark.parametrize("corner", _CORNERS)
def test_a_colour_that_does_not_fit_keeps_its_luminance(corner: tuple[int, int, int]) -> None:
    shown = [signal**2.4 for signal in Table(Transfer.SDR)[corner]]
    expected = sum(weight * (number > 0) for weight, number in zip((0.2627, 0.6780, 0.0593), corner, strict=True))
    assert expected == pytest.approx(0.2126 * shown[0] + 0.7152 * shown[1] + 0.0722 * shown[2], abs=2e-3)
