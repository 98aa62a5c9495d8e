"""Extract frames: the poster of a video, the cover of an audio file, and the tiles of a sprite."""

from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, Colorspace, ColorTrc, Interpolation, VideoReformatter
from av.video.stream import VideoStream
from PIL import Image, ImageStat

from metastore.adapters.media_tools import webp
from metastore.adapters.media_tools.av import demuxer
from metastore.adapters.media_tools.limits import Budget
from metastore.adapters.sandbox.containers import video_of
from metastore.adapters.sandbox.errors import NoPictureError, RefusedError
from metastore.adapters.sandbox.orientation import Orientation, orientation_of
from metastore.adapters.sandbox.source_file import SourceFile
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.ports.media_tools import Sprite

_POSTER_POSITIONS = (0.1, 0.15, 0.2, 0.3, 0.5, 0.02)
"""Positions to try for a frame that is neither dark nor uniform, as fractions of the duration."""
_MIN_MEAN, _MIN_DEVIATION = 32, 10
"""Mean and standard deviation of the brightness (0 to 255) of a good poster."""
_HDR = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
_UNSPECIFIED_COLOURSPACE, _HD_HEIGHT = 2, 720
_TILES, _COLUMNS, _TILE_WIDTH, _MAX_TILE_HEIGHT = 100, 10, 160, 284
_MIN_INTERVAL_MS = 1000
_MAX_DECODED_PIXELS = 1_200_000_000
"""A sprite is made from all frames if these have at most this many pixels together, otherwise from keyframes."""
_POSTER_BUDGET = (8.0, 256 * 2**20)
_SPRITE_BUDGET = (40.0, 1024 * 2**20)
"""Seconds and bytes after which the frames found so far are used."""
_reformatter = VideoReformatter()
"""Shared by all frames: it caches its tables, which take a second to compute for HDR."""


def thumbnails(source: SourceFile, sizes: list[int]) -> list[bytes]:
    """Return the poster of a video or the cover of an audio file as WebP, in all sizes.

    Raises:
        NoPictureError: There is neither.
        RefusedError: The file is damaged.
    """
    with demuxer.open_source(source) as container:
        video = video_of(container)
        if video is not None:
            demuxer.check_size(video)
            return webp.from_pillow(_poster(container, source, video, max(sizes)), sizes)
        cover = demuxer.cover_of(container)
        if cover is None:
            raise NoPictureError(ReasonCode.FILM_WITHOUT_PICTURE)
        demuxer.check_size(cover)
        frame = demuxer.first_frame(container, cover)
        if frame is None:
            raise NoPictureError(ReasonCode.FILM_WITHOUT_PICTURE)
        return webp.from_pillow(upright(frame, cover, max(sizes), max(sizes)), sizes)


def sprite(source: SourceFile) -> Sprite:
    """Return a sprite of up to 100 frames, at equal intervals.

    Raises:
        NoPictureError: There is no video, or its duration is unknown.
        RefusedError: The file is damaged.
    """
    budget = Budget(source, *_SPRITE_BUDGET)
    with demuxer.open_source(source) as container:
        video = video_of(container)
        duration = demuxer.duration_us(container, source) // 1000
        if video is None or not duration:
            raise NoPictureError(ReasonCode.FILM_WITHOUT_PICTURE)
        demuxer.check_size(video)
        interval = max(_MIN_INTERVAL_MS, -(-duration // _TILES))
        count = max(1, -(-duration // interval))
        tiles = _extract_tiles(container, video, interval, count, budget)
    if not tiles:
        raise RefusedError(ReasonCode.FILM_UNREADABLE)
    return _assemble(tiles, interval, count)


def upright(frame: VideoFrame, video: VideoStream, width: int, height: int) -> Image.Image:
    """Return a frame as an sRGB image that fits the size: rotated upright, in square pixels, not enlarged."""
    full_width, full_height = demuxer.upright_size(frame, video)
    factor = min(1.0, width / full_width, height / full_height)
    size = max(1, round(full_width * factor)), max(1, round(full_height * factor))
    rotation = orientation_of(frame)
    return _rotate(_to_image(frame, *rotation.size(*size)), rotation)


def _rotate(image: Image.Image, rotation: Orientation) -> Image.Image:
    if rotation.sideways:
        image = image.transpose(Image.Transpose.TRANSPOSE)
    if rotation.mirrored:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return image.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if rotation.upside_down else image


def _to_image(frame: VideoFrame, width: int, height: int) -> Image.Image:
    is_hdr = frame.color_trc in _HDR
    is_hd = frame.colorspace == _UNSPECIFIED_COLOURSPACE and frame.height >= _HD_HEIGHT
    scaled = _reformatter.reformat(
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
    image: Image.Image = scaled.to_image()  # type: ignore[no-untyped-call]  # untyped in the binding
    return image


def _poster(container: InputContainer, source: SourceFile, video: VideoStream, pixels: int) -> Image.Image:
    """Return the first frame that is neither dark nor uniform, or the one with the highest contrast."""
    duration = demuxer.duration_us(container, source)
    budget = Budget(source, *_POSTER_BUDGET)
    # The first frame is available even if seeking fails.
    first = demuxer.first_frame(container, video)
    best = (0.0, upright(first, video, pixels, pixels)) if first else None
    for position in _POSTER_POSITIONS:
        frame = _frame_at(container, video, round(duration * position))
        if frame is not None:
            image = upright(frame, video, pixels, pixels)
            brightness = ImageStat.Stat(image.convert("L").resize((64, 64)))
            if brightness.mean[0] > _MIN_MEAN and brightness.stddev[0] > _MIN_DEVIATION:
                return image
            if best is None or brightness.stddev[0] > best[0]:
                best = brightness.stddev[0], image
        if budget.is_exhausted():
            break
    if best is None:
        raise RefusedError(ReasonCode.FILM_UNREADABLE)
    return best[1]


def _frame_at(container: InputContainer, video: VideoStream, time_us: int) -> VideoFrame | None:
    """Return the last keyframe before a time."""
    try:
        container.seek(time_us + _start_of(container))
        return demuxer.first_frame(container, video)
    except demuxer.ERRORS:
        return None


def _extract_tiles(
    container: InputContainer, video: VideoStream, interval: int, count: int, budget: Budget
) -> dict[int, Image.Image]:
    frames = float(video.average_rate or 25) * interval * count / 1000
    if frames * video.codec_context.width * video.codec_context.height <= _MAX_DECODED_PIXELS:
        return _tiles_of_all_frames(container, video, interval, count, budget)
    return _tiles_of_keyframes(container, video, interval, count, budget)


def _tiles_of_all_frames(
    container: InputContainer, video: VideoStream, interval: int, count: int, budget: Budget
) -> dict[int, Image.Image]:
    """Decode every frame; each tile is the first frame at or after its time."""
    tiles: dict[int, Image.Image] = {}
    start = _start_of(container) / 1_000_000
    for frame in demuxer.frames_of(container, video):
        number = int(((frame.time or 0.0) - start) * 1000 // interval)
        if 0 <= number < count and number not in tiles:
            tiles[number] = _tile(frame, video)
        if budget.is_exhausted():
            break
    return tiles


def _tiles_of_keyframes(
    container: InputContainer, video: VideoStream, interval: int, count: int, budget: Budget
) -> dict[int, Image.Image]:
    """Decode keyframes; each tile is the last keyframe before its time.

    Starts with every eighth tile, so that an exhausted budget leaves gaps rather than a missing end.
    """
    tiles: dict[int, Image.Image] = {}
    video.codec_context.skip_frame = "NONKEY"
    for step in (8, 4, 2, 1):
        for number in range(0, count, step):
            if number in tiles:
                continue
            frame = _frame_at(container, video, number * interval * 1000)
            if frame is not None:
                tiles[number] = _tile(frame, video)
            if budget.is_exhausted():
                return tiles
    return tiles


def _tile(frame: VideoFrame, video: VideoStream) -> Image.Image:
    return upright(frame, video, _TILE_WIDTH, _MAX_TILE_HEIGHT)


def _assemble(tiles: dict[int, Image.Image], interval: int, count: int) -> Sprite:
    """Paste the tiles into one image; a missing tile repeats the one before it."""
    width, height = tiles[min(tiles)].size
    columns = min(_COLUMNS, count)
    sprite = Image.new("RGB", (columns * width, -(-count // columns) * height))
    tile = tiles[min(tiles)]
    for number in range(count):
        tile = tiles.get(number, tile)
        row, column = divmod(number, columns)
        sprite.paste(tile, (column * width, row * height))
    return Sprite(webp.encode(sprite, quality=72), columns, count, width, height, interval)


def _start_of(container: InputContainer) -> int:
    return container.start_time or 0
