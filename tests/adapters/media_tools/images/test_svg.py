"""SVG images are rendered, and cannot refer to other files."""

import base64
import gzip
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from metastore.adapters.media_tools.sandboxed_tools import SandboxedMediaTools
from metastore.ports.media_tools import NoPictureError, Source
from tests.adapters.media_tools.sample_files import decoded, encoded, has_colour, source

SIZES = [256, 1024]
RED = (255, 0, 0)


def svg(content: str, attributes: str = 'viewBox="0 0 100 50"', before: str = "") -> Source:
    links = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return source(f"{before}<svg {links} {attributes}>{content}</svg>".encode(), "image/svg+xml")


@pytest.fixture
def canary() -> Iterator[socket.socket]:
    """A server that nothing may connect to."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


async def test_an_svg_is_rendered_in_the_requested_size_with_transparency() -> None:
    tools, given = SandboxedMediaTools(), svg('<rect width="50" height="50" fill="red"/>')
    probed = await tools.probe(given)
    assert (100, 50, "svg") == (probed.width, probed.height, probed.container)
    small, large = map(decoded, await tools.thumbnails(given, sizes=SIZES))
    assert ((256, 128), (1024, 512)) == (small.size, large.size)
    assert has_colour((*RED, 255), large, (200, 200))
    assert has_colour((0, 0, 0, 0), large, (800, 200))


async def test_text_is_rendered() -> None:
    """The child process loads fonts before the sandbox denies opening files."""
    words = '<text x="5" y="40" font-size="40" font-family="Arial">mm</text>'
    given = svg(f'<rect width="100" height="50" fill="white"/>{words}')
    (made,) = await SandboxedMediaTools().thumbnails(given, sizes=[256])
    assert min(decoded(made).convert("L").tobytes()) < 100


async def test_references_to_files_and_servers_are_not_followed(tmp_path: Path, canary: socket.socket) -> None:
    (tmp_path / "secret.png").write_bytes(encoded(Image.new("RGB", (100, 50), "red"), "PNG"))
    (tmp_path / "secret.css").write_text("rect { fill: red }")
    (tmp_path / "secret.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><rect id="a" fill="red"/></svg>')
    port = canary.getsockname()[1]
    for url in (f"file://{tmp_path}/secret", f"{tmp_path}/secret", f"http://127.0.0.1:{port}/secret"):
        given = svg(
            f'<?xml-stylesheet href="{url}.css"?><style>@import url("{url}.css");</style>'
            f'<image href="{url}.png" width="9" height="50"/><image xlink:href="{url}.png" width="9" height="50"/>'
            f'<use href="{url}.svg#a"/><rect width="10" height="10" fill="blue"/>'
        )
        (made,) = await SandboxedMediaTools().thumbnails(given, sizes=[256])
        assert has_colour((0, 0, 255, 255), decoded(made), (10, 10))
        assert max(decoded(made).getchannel("R").tobytes()) < 60
    with pytest.raises(BlockingIOError):
        canary.accept()


async def test_external_entities_are_not_loaded(tmp_path: Path, canary: socket.socket) -> None:
    (tmp_path / "secret").write_text("<rect width='100' height='50' fill='red'/>")
    for url in (f"file://{tmp_path}/secret", f"http://127.0.0.1:{canary.getsockname()[1]}/secret"):
        entity = f'<!DOCTYPE svg SYSTEM "{url}" [<!ENTITY secret SYSTEM "{url}">]>'
        try:
            (made,) = await SandboxedMediaTools().thumbnails(svg("&secret;", before=entity), sizes=[256])
        except NoPictureError:
            continue
        assert max(decoded(made).getchannel("A").tobytes()) == 0
    with pytest.raises(BlockingIOError):
        canary.accept()


async def test_small_embedded_images_are_rendered() -> None:
    data = base64.b64encode(encoded(Image.new("RGB", (10, 5), "red"), "PNG")).decode()
    given = svg(f'<image href="data:image/png;base64,{data}" width="100" height="50"/>')
    (made,) = await SandboxedMediaTools().thumbnails(given, sizes=[256])
    assert has_colour((*RED, 255), decoded(made), (100, 50))


_ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol"}">' for n in range(12))


def _bomb() -> str:
    return base64.b64encode(encoded(Image.new("1", (30_000, 30_000)), "PNG")).decode()


_HARMFUL: dict[str, Callable[[], Source]] = {
    "not an svg": lambda: source(b"nothing", "image/svg+xml"),
    "empty": lambda: source(b"", "image/svg+xml"),
    "truncated": lambda: source(b'<svg xmlns="http://www.w3.org/2000/svg"><rect', "image/svg+xml"),
    "deeply nested": lambda: svg("<g>" * 10_000 + "</g>" * 10_000),
    "many elements": lambda: svg("<g/>" * 300_000),
    "entities": lambda: svg("<text>&e11;</text>", before=f"<!DOCTYPE svg [{_ENTITIES}]>"),
    "embedded bomb": lambda: svg(f'<image href="data:image/png;base64,{_bomb()}" width="9" height="9"/>'),
    "embedded bomb with a disguised scheme": lambda: svg(
        f'<image xlink:href="&#100;ATA:image/png;base64,{_bomb()}" width="9" height="9"/>'
    ),
    "large embedded image": lambda: svg(f'<image href="data:image/png;base64,{"A" * 9_000_000}"/>'),
    "large": lambda: source(b"<svg>" + b" " * 2**24, "image/svg+xml"),
    "no size": lambda: svg("<rect/>", 'viewBox="0 0 1e30 1e30"'),
}


@pytest.mark.parametrize("name", _HARMFUL)
async def test_an_svg_that_exceeds_a_limit_has_no_thumbnail(name: str) -> None:
    tools, given = SandboxedMediaTools(), _HARMFUL[name]()
    assert "svg" == (await tools.probe(given)).container
    with pytest.raises(NoPictureError, match=r"^The drawing .*\.$"):
        await tools.thumbnails(given, sizes=SIZES)


async def test_an_svg_of_any_size_fits_the_thumbnail() -> None:
    for attributes in ('width="9000000" height="9000000"', 'viewBox="0 0 90000000 90000000"'):
        given = svg('<rect width="100%" height="100%" fill="red"/>', attributes)
        (made,) = await SandboxedMediaTools().thumbnails(given, sizes=[256])
        assert has_colour((*RED, 255), decoded(made), (100, 100))


async def test_a_compressed_svg_is_refused() -> None:
    given = source(gzip.compress(b'<svg xmlns="http://www.w3.org/2000/svg"/>'), "image/svg+xml")
    with pytest.raises(NoPictureError):
        await SandboxedMediaTools().thumbnails(given, sizes=SIZES)
