"""The search feature, as ``bootstrap`` installs it."""

from metastore.features.files.service import FilesService
from metastore.features.search.consumers import consumers
from metastore.features.search.endpoints import router
from metastore.features.search.service import SearchService
from metastore.kit.feature import Feature
from metastore.kit.services import Services
from metastore.ports.resources import Resources


def search_feature(resources: Resources, services: Services) -> Feature:
    """Build the feature."""
    search = SearchService(services.get(FilesService).node_urls)
    return Feature(
        "search",
        routers=[router],
        services=[search],
        consumers=consumers(search, resources.database, resources.realtime),
    )
