"""One user's tree on each kind of database."""

from tests.features.files.conftest import grove

__all__ = ["grove"]
