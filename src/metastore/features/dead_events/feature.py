"""The dead events feature, as ``bootstrap`` installs it."""

from metastore.features.dead_events.endpoints import router
from metastore.features.dead_events.service import DeadEventsService
from metastore.kit.feature import Feature
from metastore.ports.resources import Resources


def dead_events_feature(resources: Resources) -> Feature:
    """Build the feature."""
    return Feature("dead_events", routers=[router], services=[DeadEventsService(resources.bus)])
