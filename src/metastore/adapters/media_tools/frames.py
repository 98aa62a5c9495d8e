"""Pictures out of films: a telling one to stand for the film, and the film at a glance."""

from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, Colorspace, ColorTrc, Interpolation, VideoReformatter
from av.video.stream import VideoStream
from PIL import Image, ImageStat

from metastore.adapters.media_tools import films, webp
from metastore.adapters.media_tools.limits import Patience
from metastore.adapters.sandbox.films import video_of
from metastore.adapters.sandbox.refusal import NothingToSeeError, RefusedError
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.adapters.sandbox.turning import Turn, turn_of
from metastore.kit.reason_codes import ReasonCode
from metastore.ports.media_tools import Sprite

_TELLING_PLACES = (0.1, 0.15, 0.2, 0.3, 0.5, 0.02)
"""Where one looks for a frame that is neither dark nor empty, as shares of the film."""
_DARK, _EMPTY = 32, 10
"""Mean and deviation of brightness that a telling frame is above."""
_HDR = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
_UNSPECIFIED_COLOUR, _HD_HEIGHT = 2, 720
_TILES, _COLUMNS, _TILE_WIDTH, _MAX_TILE_HEIGHT = 100, 10, 160, 284
_SHORTEST_INTERVAL_MS = 1000
_DECODED_WHOLE = 1_200_000_000
"""Pixels of all frames of a film that is short enough to be decoded for its sprite, since keyframes may be too few."""
_POSTER_PATIENCE = (8.0, 256 * 2**20)
_SPRITE_PATIENCE = (40.0, 1024 * 2**20)
"""Seconds and bytes after which one makes do with what has been found."""
_reformatter = VideoReformatter()
"""One for all frames, as it keeps its tables, which for HDR take a second to make."""


def thumbnails(source: ParentBytes, sizes: list[int]) -> list[bytes]:
    """WebPs of a telling frame, or of a sound's cover."""
    with films.open_film(source) as container:
        video = video_of(container)
        if video is not None:
            films.check_size(video)
            return webp.from_pillow(_poster(container, source, video, max(sizes)), sizes)
        cover = films.cover_of(container)
        if cover is None:
            raise NothingToSeeError(ReasonCode.FILM_WITHOUT_PICTURE)
        films.check_size(cover)
        frame = films.first_frame(container, cover)
        if frame is None:
            raise NothingToSeeError(ReasonCode.FILM_WITHOUT_PICTURE)
        return webp.from_pillow(upright(frame, cover, max(sizes), max(sizes)), sizes)


def sprite(source: ParentBytes) -> Sprite:
    """Small frames of it in one picture."""
    patience = Patience(source, *_SPRITE_PATIENCE)
    with films.open_film(source) as container:
        video = video_of(container)
        length = films.duration_us(container, source) // 1000
        if video is None or not length:
            raise NothingToSeeError(ReasonCode.FILM_WITHOUT_PICTURE)
        films.check_size(video)
        interval = max(_SHORTEST_INTERVAL_MS, -(-length // _TILES))
        count = max(1, -(-length // interval))
        tiles = _tiles(container, video, interval, count, patience)
    if not tiles:
        raise RefusedError(ReasonCode.FILM_UNREADABLE)
    return _assembled(tiles, interval, count)


def upright(frame: VideoFrame, video: VideoStream, width: int, height: int) -> Image.Image:
    """The frame within that size, not enlarged, turned as it was filmed, in square pixels and a screen's colours."""
    shown_width, shown_height = films.upright_size(frame, video)
    factor = min(1.0, width / shown_width, height / shown_height)
    final = max(1, round(shown_width * factor)), max(1, round(shown_height * factor))
    turn = turn_of(frame)
    return _turned(_as_picture(frame, *turn.size(*final)), turn)


def _turned(picture: Image.Image, turn: Turn) -> Image.Image:
    if turn.sideways:
        picture = picture.transpose(Image.Transpose.TRANSPOSE)
    if turn.mirrored:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if turn.upside_down else picture


def _as_picture(frame: VideoFrame, width: int, height: int) -> Image.Image:
    is_hdr = frame.color_trc in _HDR
    is_hd = frame.colorspace == _UNSPECIFIED_COLOUR and frame.height >= _HD_HEIGHT
    small = _reformatter.reformat(
        frame,
        width=width,
        height=height,
        format="rgb24",
        src_colorspace=Colorspace.ITU709 if is_hd else None,
        interpolation=Interpolation.BICUBIC,
        dst_color_trc=ColorTrc.IEC61966_2_1 if is_hdr else None,
        dst_color_primaries=ColorPrimaries.BT709 if is_hdr else None,
        threads=1,
    )
    picture: Image.Image = small.to_image()  # type: ignore[no-untyped-call]  # left untyped there
    return picture


def _poster(container: InputContainer, source: ParentBytes, video: VideoStream, pixels: int) -> Image.Image:
    """The first frame that is neither dark nor empty; else the one with most to see."""
    length = films.duration_us(container, source)
    patience = Patience(source, *_POSTER_PATIENCE)
    # Where one cannot seek, there is at least the first.
    first = films.first_frame(container, video)
    best = (0.0, upright(first, video, pixels, pixels)) if first else None
    for place in _TELLING_PLACES:
        frame = _frame_at(container, video, round(length * place))
        if frame is not None:
            picture = upright(frame, video, pixels, pixels)
            grey = ImageStat.Stat(picture.convert("L").resize((64, 64)))
            if grey.mean[0] > _DARK and grey.stddev[0] > _EMPTY:
                return picture
            if best is None or grey.stddev[0] > best[0]:
                best = grey.stddev[0], picture
        if patience.is_over():
            break
    if best is None:
        raise RefusedError(ReasonCode.FILM_UNREADABLE)
    return best[1]


def _frame_at(container: InputContainer, video: VideoStream, place: int) -> VideoFrame | None:
    """The keyframe before that time in microseconds."""
    try:
        container.seek(place + _start_of(container))
        return films.first_frame(container, video)
    except films.ERRORS:
        return None


def _tiles(
    container: InputContainer, video: VideoStream, interval: int, count: int, patience: Patience
) -> dict[int, Image.Image]:
    frames = float(video.average_rate or 25) * interval * count / 1000
    if frames * video.codec_context.width * video.codec_context.height <= _DECODED_WHOLE:
        return _tiles_of_all(container, video, interval, count, patience)
    return _tiles_of_keyframes(container, video, interval, count, patience)


def _tiles_of_all(
    container: InputContainer, video: VideoStream, interval: int, count: int, patience: Patience
) -> dict[int, Image.Image]:
    """Every frame is decoded; the first at or after a tile's time is shown there."""
    tiles: dict[int, Image.Image] = {}
    start = _start_of(container) / 1_000_000
    for frame in films.frames_of(container, video):
        number = int(((frame.time or 0.0) - start) * 1000 // interval)
        if 0 <= number < count and number not in tiles:
            tiles[number] = _tile(frame, video)
        if patience.is_over():
            break
    return tiles


def _tiles_of_keyframes(
    container: InputContainer, video: VideoStream, interval: int, count: int, patience: Patience
) -> dict[int, Image.Image]:
    """The keyframe before each tile's time: first some all over the film, then those between."""
    tiles: dict[int, Image.Image] = {}
    video.codec_context.skip_frame = "NONKEY"
    for step in (8, 4, 2, 1):
        for number in range(0, count, step):
            if number in tiles:
                continue
            frame = _frame_at(container, video, number * interval * 1000)
            if frame is not None:
                tiles[number] = _tile(frame, video)
            if patience.is_over():
                return tiles
    return tiles


def _tile(frame: VideoFrame, video: VideoStream) -> Image.Image:
    return upright(frame, video, _TILE_WIDTH, _MAX_TILE_HEIGHT)


def _assembled(tiles: dict[int, Image.Image], interval: int, count: int) -> Sprite:
    """What is missing shows what came before it."""
    width, height = tiles[min(tiles)].size
    columns = min(_COLUMNS, count)
    whole = Image.new("RGB", (columns * width, -(-count // columns) * height))
    tile = tiles[min(tiles)]
    for number in range(count):
        tile = tiles.get(number, tile)
        row, column = divmod(number, columns)
        whole.paste(tile, (column * width, row * height))
    return Sprite(webp.encoded(whole, quality=70), columns, count, width, height, interval)


def _start_of(container: InputContainer) -> int:
    return container.start_time or 0
