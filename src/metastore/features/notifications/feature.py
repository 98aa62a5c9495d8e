"""The notifications feature, as ``bootstrap`` installs it."""

from metastore.features.notifications.consumers import consumers
from metastore.features.notifications.endpoints import router
from metastore.features.notifications.service import NotificationsService
from metastore.kit.feature import Feature
from metastore.ports.resources import Resources


def notifications_feature(resources: Resources) -> Feature:
    """Build the feature."""
    notifications = NotificationsService(resources.realtime, resources.clock)
    return Feature(
        "notifications",
        routers=[router],
        services=[notifications],
        consumers=consumers(notifications, resources.realtime),
    )
