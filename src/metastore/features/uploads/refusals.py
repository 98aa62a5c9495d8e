"""Problem responses of the uploads feature."""

from metastore.features.uploads.models import Upload
from metastore.kit.problem import Problem, storage_full, unavailable
from metastore.ports.object_store import ObjectNotFoundError, ObjectStoreError, StoreFullError, UploadNotFoundError


def completed(upload: Upload) -> Problem:
    """Return 409 ``upload-completed``."""
    return Problem(409, "upload-completed", "This upload is complete.", fileId=upload.file_id)


def completing(upload: Upload) -> Problem:
    """Return 409 ``upload-completing``."""
    return Problem(409, "upload-completing", "This upload is completing.", fileId=upload.file_id)


def too_large(max_file_size: int) -> Problem:
    """Return 413 ``file-too-large`` with ``maxFileSize`` in bytes."""
    detail = f"A file may have {max_file_size} bytes at the most."
    return Problem(413, "file-too-large", detail, maxFileSize=max_file_size)


def upload_not_found(*, refused: bool = False) -> Problem:
    """Return 404 ``upload-not-found``. ``refused`` marks an attempt at another user's upload for the audit log."""
    return Problem(404, "upload-not-found", "There is no such upload; it may have ended.", refused=refused)


def problem_of_store(error: ObjectStoreError) -> Problem:
    """Return the problem response for an error of the object store."""
    if isinstance(error, StoreFullError):
        return storage_full()
    if isinstance(error, (UploadNotFoundError, ObjectNotFoundError)):
        return upload_not_found()
    return unavailable("The object store does not answer.")
