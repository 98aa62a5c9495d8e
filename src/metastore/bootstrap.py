"""The composition root: the only module that knows which adapter implements which port.

``build`` reads the settings, opens the adapters, builds the features with them and returns all parts as a ``Product``.
Every process builds all parts; its entry point decides which of them to run. Nothing here decides about a request.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from metastore.adapters.event_bus.inprocess.bus import InProcessBus
from metastore.adapters.media_tools.sandboxed_tools import SandboxedMediaTools
from metastore.adapters.object_store.local import LocalObjectStore
from metastore.adapters.rate_limiter.memory import MemoryRateLimiter
from metastore.adapters.realtime.socketio import SocketIoRealtime
from metastore.adapters.transcoder.sandboxed_transcoder import SandboxedTranscoder
from metastore.config import ConfigurationError, Settings, load_secret_key
from metastore.embedded_store import DataPlaneCalls, derived_key, store_folder, unusable_store
from metastore.features.analytics.feature import analytics_feature
from metastore.features.archives.feature import archives_feature
from metastore.features.audit.feature import audit_feature
from metastore.features.auth.accounts.service import AccountsService, NewUsers
from metastore.features.auth.credentials.passwords import Argon2Hasher
from metastore.features.auth.feature import auth_feature
from metastore.features.auth.service import AuthService
from metastore.features.auth.sessions.tokens import Tokens
from metastore.features.dead_events.feature import dead_events_feature
from metastore.features.files.delivery import Delivery
from metastore.features.files.feature import files_feature
from metastore.features.files.service import FilesService
from metastore.features.media.feature import media_feature
from metastore.features.notifications.feature import notifications_feature
from metastore.features.search.feature import search_feature
from metastore.features.sharing.feature import sharing_feature
from metastore.features.uploads.feature import uploads_feature
from metastore.features.uploads.multipart.limits import UploadLimits
from metastore.features.uploads.service import UploadsService
from metastore.kit.clock import Clock, utc_now
from metastore.kit.database.disk_reserve import DiskReserve
from metastore.kit.database.unit_of_work import Database
from metastore.kit.events.outbox_signal import Announcer
from metastore.kit.feature import Feature, Job
from metastore.kit.idempotency import claims
from metastore.kit.idempotency.checkpoints import IdempotencyKeys
from metastore.kit.saga.runner import SagaRunner
from metastore.kit.saga.wake_ups import SagaAnnouncer
from metastore.kit.services import Services
from metastore.migrations import UnknownRevisionError, upgrade
from metastore.ports.event_bus import EventBus
from metastore.ports.object_store import ObjectStore, StoreUnavailableError
from metastore.ports.rate_limiter import RateLimiter
from metastore.ports.resources import Resources
from metastore.processes.consumers import subscribe_all
from metastore.processes.ended_sessions import EndedSessions
from metastore.processes.reaper import Reaper
from metastore.processes.relay import Relay

if TYPE_CHECKING:
    from metastore.adapters.object_store.s3 import S3ObjectStore
    from metastore.processes.fsck.registry import Components


_EMBEDDED_VISITOR_TTL, _S3_VISITOR_TTL = 5, 60
"""Seconds for which URLs of bytes are valid for visitors of share links. The clock of an S3 server may differ."""


@dataclass(frozen=True, slots=True)
class Product:
    """The parts of the product, for entry points to run.

    Workers run consumers (``bus.run``) and ``jobs``. A job runs until it is cancelled. Several processes may run the
    same one.
    """

    settings: Settings
    database: Database
    store: ObjectStore
    bus: EventBus
    realtime: SocketIoRealtime
    limiter: RateLimiter
    relay: Relay
    ended_sessions: EndedSessions
    accounts: AccountsService
    features: Sequence[Feature]
    services: Services
    jobs: Mapping[str, Job]

    @property
    def consumers(self) -> frozenset[str]:
        """The names of all consumers."""
        return frozenset(consumer.name for feature in self.features for consumer in feature.consumers)

    @property
    def local_store(self) -> LocalObjectStore | None:
        """The embedded object store if it is in use, for this process to serve its data plane; else ``None``."""
        return self.store if isinstance(self.store, LocalObjectStore) else None

    @property
    def checks(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """The readiness checks of all dependencies, by name. A check raises when its dependency is unavailable."""
        return {
            "database": self.database.check,
            "storage": self.store.check,
            "broker": self.bus.check,
            "cache": self.limiter.check,
        }

    async def aclose(self) -> None:
        """Close everything that ``build`` opened."""
        await self.realtime.aclose()
        await self.limiter.aclose()
        await self.bus.aclose()
        await self.store.aclose()
        await self.database.aclose()


async def prepare_database(settings: Settings) -> None:
    """Upgrade the database's schema to the newest revision.

    Raises:
        ConfigurationError: the database cannot be reached, or its schema is unknown. The message has no password.
    """
    try:
        await upgrade(settings.effective_database_url)
    except (SQLAlchemyError, UnknownRevisionError, OSError, ValueError) as error:
        raise ConfigurationError(f"METASTORE_DATABASE_URL: the database cannot be used: {_reason(error)}") from None


async def build(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    serves_sockets: bool = True,
    uploads: DataPlaneCalls | None = None,
) -> Product:
    """Open all adapters and build all features.

    Without ``serves_sockets`` the process can only send messages to the sockets of other processes. ``uploads`` calls
    the process that serves the embedded store's data plane, if that is another one; the folder is locked already then.

    Raises:
        ConfigurationError: a setting is wrong, or what it names cannot be used.
    """
    secret = load_secret_key(settings)
    database = _database(settings)
    store = await _open_store(settings, secret, uploads=uploads)
    bus = _choose_bus(settings, database)
    realtime, limiter = _open_cache(settings, serves_sockets=serves_sockets)

    woken = asyncio.Event()
    resources = Resources(
        database=database,
        store=store,
        bus=bus,
        realtime=realtime,
        limiter=limiter,
        media_tools=SandboxedMediaTools(),
        transcoder=SandboxedTranscoder(),
        clock=clock,
        wake_sagas=woken.set,
    )
    services = Services()
    services.add(database)
    services.add(IdempotencyKeys(database))
    visitor_ttl = _EMBEDDED_VISITOR_TTL if isinstance(store, LocalObjectStore) else _S3_VISITOR_TTL
    delivery = Delivery(store, settings.presign_ttl, visitor_ttl)
    features = _install_features(resources, delivery, services, settings, secret)

    runner = SagaRunner(database, [saga for feature in features for saga in feature.sagas], clock=clock, woken=woken)
    subscribe_all(bus, database, [consumer for feature in features for consumer in feature.consumers])
    Announcer(database)
    SagaAnnouncer(database)
    reaper = Reaper(_recurring_jobs(database, features), settings.reaper_interval)
    return Product(
        settings=settings,
        database=database,
        store=store,
        bus=bus,
        realtime=realtime,
        limiter=limiter,
        relay=Relay(database, bus),
        ended_sessions=EndedSessions(database, services.get(AuthService), realtime),
        accounts=services.get(AccountsService),
        features=features,
        services=services,
        jobs={"reaper": reaper.run, "media": runner.run},
    )


def _install_features(
    resources: Resources, delivery: Delivery, services: Services, settings: Settings, secret: bytes
) -> Sequence[Feature]:
    """Build all features from the bottom layer up, and register the services of each for those above it."""
    installed: list[Feature] = []

    def install(feature: Feature) -> None:
        for service in feature.services:
            services.add(service)
        installed.append(feature)

    tokens = _tokens(settings, secret, resources.clock)
    new_users = _new_users(settings)
    secure = settings.secure_cookies
    stream_key = derived_key(secret, "streams")
    presign_ttl, trash_ttl = settings.presign_ttl, settings.trash_ttl
    hasher, link_key, visitor_key = Argon2Hasher(), derived_key(secret, "share links"), derived_key(secret, "visitors")
    install(auth_feature(resources, tokens=tokens, new_users=new_users, hasher=hasher, secure_cookies=secure))
    install(files_feature(resources, delivery, presign_ttl=presign_ttl, stream_key=stream_key, trash_ttl=trash_ttl))
    install(uploads_feature(resources, services, limits=_upload_limits(settings)))
    install(media_feature(resources, services))
    install(archives_feature(resources, url_ttl=presign_ttl, url_key=derived_key(secret, "archives")))
    install(sharing_feature(resources, services, hasher=hasher, token_key=link_key, grant_key=visitor_key))
    install(search_feature(resources, services))
    install(notifications_feature(resources))
    install(audit_feature())
    install(analytics_feature(resources))
    install(dead_events_feature(resources))
    return installed


def _recurring_jobs(database: Database, features: Sequence[Feature]) -> dict[str, Job]:
    async def delete_old_keys() -> None:
        async with database.transaction() as tx:
            await claims.prune(tx)

    # The disk reserve comes first, because on a full disk the deletions of the other jobs need it.
    jobs: dict[str, Job] = {"keep the disk reserve": DiskReserve(database).ensure}
    for feature in features:
        jobs |= feature.recurring_jobs
    return {**jobs, "delete old idempotency keys": delete_old_keys}


async def open_for_checking(
    settings: Settings, *, repair: bool = False
) -> "tuple[Components, Callable[[], Awaitable[None]]]":
    """Return what ``fsck`` needs, and a function that closes it. Without ``repair`` the object store is read-only.

    Raises:
        ConfigurationError: a setting is wrong or what it names cannot be used, for example because another process
            holds the embedded store.
    """
    from metastore.processes.fsck.registry import Components  # noqa: PLC0415  no other process checks

    if repair:
        product = await build(settings, serves_sockets=False)
        services = product.services
        parts = Components(
            product.database,
            product.store,
            services.get(FilesService),
            services.get(UploadsService),
            product.relay,
        )
        return parts, product.aclose
    store = await _open_store(settings, load_secret_key(settings), read_only=True)
    database = _database(settings)
    files = FilesService(Delivery(store, settings.presign_ttl), clock=utc_now)
    parts = Components(
        database, store, files, UploadsService(database, store, files, _upload_limits(settings), utc_now)
    )

    async def close() -> None:
        await store.aclose()
        await database.aclose()

    return parts, close


async def open_storage(settings: Settings) -> tuple[Database, ObjectStore]:
    """Open only the database and the object store.

    Raises:
        ConfigurationError: the store cannot be used.
    """
    store = await _open_store(settings, load_secret_key(settings))
    return _database(settings), store


def preview_support() -> Callable[[str], bool]:
    """Return a function that tells whether previews or renditions of a content type can be made here."""
    return SandboxedMediaTools().can_preview


def build_accounts(settings: Settings, *, clock: Clock = utc_now) -> AccountsService:
    """Return only the accounts service, for commands that need nothing else of the product."""
    return AccountsService(
        hasher=Argon2Hasher(), limiter=MemoryRateLimiter(), new_users=_new_users(settings), clock=clock
    )


def _database(settings: Settings) -> Database:
    return Database(settings.effective_database_url, pool_size=settings.database_pool_size)


def _tokens(settings: Settings, secret: bytes, clock: Clock) -> Tokens:
    return Tokens(
        secret,
        access_ttl=settings.access_token_ttl,
        refresh_ttl=settings.refresh_token_ttl,
        session_ttl=settings.session_ttl,
        clock=clock,
    )


def _new_users(settings: Settings) -> NewUsers:
    plan = settings.free_plan
    return NewUsers(plan.plan, plan.storage_quota, registration_open=settings.registration == "open")


def _upload_limits(settings: Settings) -> UploadLimits:
    return UploadLimits(settings.part_size, settings.max_file_size, settings.upload_ttl, settings.presign_ttl)


def _choose_bus(settings: Settings, database: Database) -> EventBus:
    """Return the event bus for the broker's URL. It connects on first use, so the broker may start later."""
    scheme = urlsplit(settings.broker_url).scheme
    # Drivers are imported only when they are used, so that the embedded default starts faster.
    if scheme in ("amqp", "amqps"):
        from metastore.adapters.event_bus.rabbitmq import RabbitMqBus  # noqa: PLC0415

        return RabbitMqBus(settings.broker_url)
    if scheme == "kafka":
        from metastore.adapters.event_bus.kafka import KafkaBus  # noqa: PLC0415

        return KafkaBus(settings.broker_url)
    return InProcessBus(database)


def _open_cache(settings: Settings, *, serves_sockets: bool) -> tuple[SocketIoRealtime, RateLimiter]:
    """Return the adapters that share transient state between processes: open sockets and counted attempts."""
    if urlsplit(settings.cache_url).scheme == "memory":
        return SocketIoRealtime(), MemoryRateLimiter()
    from metastore.adapters.rate_limiter.redis import RedisRateLimiter  # noqa: PLC0415
    from metastore.adapters.realtime.fan_out import RedisFanOut  # noqa: PLC0415

    fan_out = RedisFanOut(settings.cache_url, write_only=not serves_sockets)
    return SocketIoRealtime(fan_out=fan_out), RedisRateLimiter(settings.cache_url)


async def _open_store(
    settings: Settings, secret: bytes, *, read_only: bool = False, uploads: DataPlaneCalls | None = None
) -> "LocalObjectStore | S3ObjectStore":
    """Open the adapter of the ports ``ObjectStore`` and ``Presigner``; only ``Delivery`` is given it as the latter."""
    folder = store_folder(settings)
    if folder is not None:
        try:
            return LocalObjectStore(
                folder,
                signing_key=derived_key(secret, "objects"),
                public_base=settings.objects_url,
                read_only=read_only,
                is_prepared=uploads is not None,
                uploads=uploads,
            )
        except OSError as error:
            raise unusable_store(folder, error) from None
    parts = urlsplit(settings.effective_storage_url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    unknown = options.keys() - {"endpoint", "region", "public_endpoint"}
    if unknown or not parts.netloc:
        raise ConfigurationError(
            "METASTORE_STORAGE_URL: must look like s3://bucket?endpoint=https://host&region=name"
            + (f", without {', '.join(sorted(unknown))}" if unknown else "")
        )
    # The driver takes a second to import, so the embedded default does not import it.
    from metastore.adapters.object_store.s3 import S3ObjectStore  # noqa: PLC0415

    try:
        return await S3ObjectStore.open(
            bucket=parts.hostname or "",
            endpoint=options.get("endpoint"),
            public_endpoint=options.get("public_endpoint"),
            region=options.get("region", "us-east-1"),
            access_key_id=settings.s3_access_key_id or None,
            secret_access_key=settings.s3_secret_access_key.get_secret_value() or None,
            allowed_origins=[settings.public_url] if settings.public_url else ["*"],
            read_only=read_only,
        )
    except StoreUnavailableError as error:
        raise ConfigurationError(f"METASTORE_STORAGE_URL: the store cannot be used: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """Return the first line of the message. Drivers add statements and hints on further lines."""
    if isinstance(error, TimeoutError):
        return "it does not respond"
    if isinstance(error, DBAPIError):
        return _reason(error.orig) if isinstance(error.orig, Exception) else "it does not respond"
    return (str(error) or type(error).__name__).splitlines()[0]
