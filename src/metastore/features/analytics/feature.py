"""The analytics feature, as ``bootstrap`` installs it."""

from metastore.features.analytics.consumers import consumers
from metastore.features.analytics.endpoints import router
from metastore.features.analytics.service import AnalyticsService
from metastore.kit.feature import Feature
from metastore.ports.resources import Resources


def analytics_feature(resources: Resources) -> Feature:
    """Build the feature."""
    analytics = AnalyticsService(resources.clock)
    return Feature("analytics", routers=[router], services=[analytics], consumers=consumers(analytics))
