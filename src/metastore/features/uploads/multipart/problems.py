"""Problem responses of the uploads feature."""

from metastore.features.uploads.models import Upload
from metastore.kit.problems.problem import Problem, storage_full, unavailable
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.ports.object_store import ObjectNotFoundError, ObjectStoreError, StoreFullError, UploadNotFoundError


def completed(upload: Upload) -> Problem:
    """Return 409 ``upload-completed``."""
    return Problem(409, ProblemCode.UPLOAD_COMPLETED, "This upload is already complete.", fileId=upload.file_id)


def completing(upload: Upload) -> Problem:
    """Return 409 ``upload-completing``."""
    return Problem(409, ProblemCode.UPLOAD_COMPLETING, "This upload is being completed.", fileId=upload.file_id)


def too_large(max_file_size: int) -> Problem:
    """Return 413 ``file-too-large`` with ``maxFileSize`` in bytes."""
    detail = f"A file can have at most {max_file_size} bytes."
    return Problem(413, ProblemCode.FILE_TOO_LARGE, detail, maxFileSize=max_file_size)


def upload_not_found(*, refused: bool = False) -> Problem:
    """Return 404 ``upload-not-found``. ``refused`` marks an attempt at another user's upload for the audit log."""
    return Problem(404, ProblemCode.UPLOAD_NOT_FOUND, "There is no such upload, or it has ended.", refused=refused)


def problem_of_store(error: ObjectStoreError) -> Problem:
    """Return the problem response for an error of the object store."""
    if isinstance(error, StoreFullError):
        return storage_full()
    if isinstance(error, (UploadNotFoundError, ObjectNotFoundError)):
        return upload_not_found()
    return unavailable("The object store does not respond.")
