"""Upload size and lifetime limits."""

from datetime import timedelta

import pytest

from metastore.features.uploads.multipart.limits import UploadLimits


@pytest.mark.parametrize(("upload_ttl", "seconds"), [(86400, 60), (60, 60), (20, 20), (5, 5), (1, 5)])
def test_the_lease_of_a_completion_is_a_minute_but_not_longer_than_an_upload(upload_ttl: int, seconds: int) -> None:
    """Otherwise quota would stay reserved long after uploads have expired."""
    limits = UploadLimits(part_size=10, max_file_size=100, upload_ttl=upload_ttl, presign_ttl=60)
    assert timedelta(seconds=seconds) == limits.completing_lease
