"""How long what was begun is waited for."""

from datetime import timedelta

import pytest

from metastore.features.uploads.limits import UploadLimits


@pytest.mark.parametrize(("upload_ttl", "seconds"), [(86400, 60), (60, 60), (20, 20), (5, 5), (1, 5)])
def test_a_completing_is_given_a_minute_but_no_longer_than_an_upload(upload_ttl: int, seconds: int) -> None:
    """Else quota would stay reserved long after the time in which uploads end."""
    limits = UploadLimits(part_size=10, max_file_size=100, upload_ttl=upload_ttl, presign_ttl=60)
    assert timedelta(seconds=seconds) == limits.completing_lease
