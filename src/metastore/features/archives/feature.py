"""The archives feature, as ``bootstrap`` installs it."""

from metastore.features.archives.checksums import Checksums
from metastore.features.archives.endpoints import router
from metastore.features.archives.service import ArchivesService
from metastore.features.archives.transfer import Transfer
from metastore.features.archives.urls import ArchiveUrls
from metastore.kit.feature import Feature
from metastore.ports.resources import Resources


def archives_feature(resources: Resources, *, url_ttl: int, url_key: bytes) -> Feature:
    """Build the feature. ``url_ttl`` is the shortest lifetime of URLs in seconds; ``url_key`` signs them."""
    database, store = resources.database, resources.store
    checksums = Checksums(database, store)
    urls = ArchiveUrls(url_key, url_ttl, resources.clock)
    archives = ArchivesService(database, urls, Transfer(database, store, checksums))
    return Feature("archives", routers=[router], services=[archives])
