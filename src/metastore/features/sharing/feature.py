"""The sharing feature, as ``bootstrap`` installs it."""

from metastore.features.auth.credentials.passwords import Hasher
from metastore.features.files.delivery import Delivery
from metastore.features.files.representation.stream_urls import StreamUrls
from metastore.features.files.service import FilesService
from metastore.features.media.playback.previews import PreviewsService
from metastore.features.media.playback.streaming import StreamingService
from metastore.features.sharing.endpoints import router
from metastore.features.sharing.link_tokens import LinkTokens
from metastore.features.sharing.public.endpoints import router as public_router
from metastore.features.sharing.public.guessing import PasswordCheck
from metastore.features.sharing.public.items import ItemsService
from metastore.features.sharing.public.service import VisitsService
from metastore.features.sharing.public.visitor_grants import VisitorGrants
from metastore.features.sharing.service import SharingService
from metastore.kit.feature import Feature
from metastore.kit.services import Services
from metastore.ports.resources import Resources


def sharing_feature(
    resources: Resources, services: Services, *, hasher: Hasher, token_key: bytes, grant_key: bytes
) -> Feature:
    """Build the feature. The keys derive the tokens of links, and sign the grants of visitors."""
    passwords = PasswordCheck(hasher, resources.limiter)
    visits = VisitsService(VisitorGrants(grant_key, resources.clock), passwords, resources.clock)
    items = ItemsService(
        services.get(Delivery),
        services.get(FilesService),
        services.get(StreamUrls),
        services.get(StreamingService),
        services.get(PreviewsService),
        visits,
    )
    return Feature(
        "sharing",
        routers=[public_router, router],
        services=[SharingService(hasher, LinkTokens(token_key), resources.clock), visits, items],
    )
