"""Why a file did not become ready: the machine codes and their English sentences.

A code is part of the API (``processing.reasonCode`` of a file, and ``reasonCode`` of ``file.failed``). Codes are added,
never renamed or reused. Each of them has a text in every language of the web client (``web/src/i18n``);
``make lint-translations`` checks that. Sandboxed child processes import this module, so it imports nothing heavy.
"""

from enum import StrEnum


class ReasonCode(StrEnum):
    """The reason for a failure, from the upload of a file to the end of its processing."""

    # The upload
    NOT_ARRIVED_IN_TIME = "not-arrived-in-time"
    """The upload expired before it was complete."""
    NOT_STORED = "not-stored"
    """The object store could not keep the bytes."""
    FILE_DELETED = "file-deleted"
    """The file was purged while it was being processed."""
    BYTES_DAMAGED = "bytes-damaged"
    """A check found that the stored bytes are lost or changed."""

    # Steps that failed without a reason of their own: a tool crashed, or reached a limit
    PROBE_FAILED = "probe-failed"
    """The file could not be probed."""
    THUMBNAIL_FAILED = "thumbnail-failed"
    """No thumbnail could be made."""
    TRANSCODE_FAILED = "transcode-failed"
    """No renditions could be made."""
    PROCESSING_FAILED = "processing-failed"
    """Processing failed, and no other code applies."""

    # Films and sound
    FILM_UNREADABLE = "film-unreadable"
    """The film is damaged, or its format is not supported."""
    FILM_WITHOUT_PICTURE = "film-without-picture"
    """The film has no video stream that can be shown."""
    FILM_FRAME_TOO_LARGE = "film-frame-too-large"
    """The film's frames have too many pixels."""
    FILM_NOT_COPYABLE = "film-not-copyable"
    """The film's video stream cannot be remuxed."""
    AUDIO_TRACK_UNREADABLE = "audio-track-unreadable"
    """An audio track of the film is missing, or its format is not supported."""
    NO_AUDIO = "no-audio"
    """The file has no audio."""

    # Pictures
    PICTURE_UNREADABLE = "picture-unreadable"
    """The picture is damaged, or its format is not supported."""
    PICTURE_TOO_LARGE = "picture-too-large"
    """Decoding the picture would take too much memory."""
    PICTURE_TOO_MANY_PIXELS = "picture-too-many-pixels"
    """The picture has more pixels than are processed."""

    # Documents and drawings
    DOCUMENT_UNREADABLE = "document-unreadable"
    """The document is damaged, or its format is not supported."""
    DOCUMENT_LOCKED = "document-locked"
    """The document is protected with a password."""
    DOCUMENT_NOT_RENDERED = "document-not-rendered"
    """The document could not be rendered, or no program here can render it."""
    DOCUMENT_TOO_LARGE = "document-too-large"
    """The document is too large to be rendered."""
    DRAWING_UNREADABLE = "drawing-unreadable"
    """The drawing is damaged, or cannot be rendered."""
    DRAWING_TOO_LARGE = "drawing-too-large"
    """The drawing is too large or too complex to be rendered."""

    @property
    def sentence(self) -> str:
        """The reason as an English sentence, for API clients that have no texts of their own."""
        return _SENTENCES[self]


_SENTENCES = {
    ReasonCode.NOT_ARRIVED_IN_TIME: "The upload was not completed in time.",
    ReasonCode.NOT_STORED: "The file could not be stored. Please upload it again.",
    ReasonCode.FILE_DELETED: "The file was deleted.",
    ReasonCode.BYTES_DAMAGED: "The stored bytes of the file are lost or changed.",
    ReasonCode.PROBE_FAILED: "The file could not be examined.",
    ReasonCode.THUMBNAIL_FAILED: "No thumbnail could be made.",
    ReasonCode.TRANSCODE_FAILED: "The file could not be prepared for playback.",
    ReasonCode.PROCESSING_FAILED: "The file could not be processed.",
    ReasonCode.FILM_UNREADABLE: "The film is damaged, or its format is not supported.",
    ReasonCode.FILM_WITHOUT_PICTURE: "The film has no picture.",
    ReasonCode.FILM_FRAME_TOO_LARGE: "The film's picture is too large.",
    ReasonCode.FILM_NOT_COPYABLE: "The film's picture cannot be copied without encoding it.",
    ReasonCode.AUDIO_TRACK_UNREADABLE: "An audio track is missing, or its format is not supported.",
    ReasonCode.NO_AUDIO: "The file has no audio.",
    ReasonCode.PICTURE_UNREADABLE: "The picture is damaged, or its format is not supported.",
    ReasonCode.PICTURE_TOO_LARGE: "The picture is too large.",
    ReasonCode.PICTURE_TOO_MANY_PIXELS: "The picture has too many pixels.",
    ReasonCode.DOCUMENT_UNREADABLE: "The document is damaged, or its format is not supported.",
    ReasonCode.DOCUMENT_LOCKED: "The document is protected with a password.",
    ReasonCode.DOCUMENT_NOT_RENDERED: "The document could not be rendered.",
    ReasonCode.DOCUMENT_TOO_LARGE: "The document is too large to be rendered.",
    ReasonCode.DRAWING_UNREADABLE: "The drawing is damaged, or cannot be rendered.",
    ReasonCode.DRAWING_TOO_LARGE: "The drawing is too large or too complex to be rendered.",
}


def known_reason(code: str | None) -> ReasonCode | None:
    """Return the member for a stored code; ``None`` for no code, or one that this version does not know."""
    return ReasonCode(code) if code in _VALUES else None


_VALUES = frozenset(ReasonCode)
