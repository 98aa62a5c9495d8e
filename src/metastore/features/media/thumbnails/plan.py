"""Decide which images a file should have, and which of them are missing."""

from collections.abc import Callable
from dataclasses import dataclass

from metastore.features.files.content.processing import Original
from metastore.features.media.models import Media
from metastore.features.media.probe.results import load_result
from metastore.ports.media_tools import ProbeResult


@dataclass(frozen=True, slots=True)
class MissingImages:
    """What is yet to be created: thumbnail, preview image, sprite (videos) and waveform (audio files)."""

    thumbnail: bool = False
    preview: bool = False
    sprite: bool = False
    waveform: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is missing."""
        return not (self.thumbnail or self.preview or self.sprite or self.waveform)


def missing_images(original: Original, media: Media | None, can_preview: Callable[[str], bool]) -> MissingImages:
    """Return what a file lacks; ``can_preview`` returns whether files of a media type can be shown as an image."""
    probed = load_result(media) if media else None
    if media is None or probed is None:
        has_size = media is not None and media.width is not None
        return MissingImages(thumbnail=has_size and original.thumbnail_key is None)
    has_image = probed.has_cover if _is_audio(probed) else can_preview(original.mime_type)
    return MissingImages(
        thumbnail=has_image and original.thumbnail_key is None,
        preview=has_image and media.preview_key is None,
        sprite=_is_video(probed) and media.sprite_key is None,
        waveform=_is_audio(probed) and media.waveform is None,
    )


def _is_video(probed: ProbeResult) -> bool:
    return probed.video_codec is not None and probed.width is not None


def _is_audio(probed: ProbeResult) -> bool:
    return probed.width is None and bool(probed.audio_tracks)
