"""Settings, read from the environment (prefix ``METASTORE_``) and a ``.env`` file.

The scheme of a URL chooses the backend. Durations are in seconds, sizes in bytes. ``load_settings`` reports a wrong
value in one line that names the setting. The README has a table of all settings; ``make lint`` compares it with this
module.
"""

import re
import secrets
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.alias_generators import to_camel
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

KIB, MIB, GIB, TIB = 2**10, 2**20, 2**30, 2**40
_HOST_AND_PORT = re.compile(r"([\w.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?")
Duration = Annotated[int, Field(ge=1, le=100 * 365 * 24 * 3600)]
"""Seconds, at most a century: dates further ahead overflow."""
_BROKERS = ("memory", "amqp", "amqps", "kafka")
_CACHES = ("memory", "redis", "rediss")
_DATABASES = ("sqlite+aiosqlite", "postgresql+asyncpg")


class ConfigurationError(Exception):
    """A setting is wrong. The message is one line for the operator."""


class Plan(BaseModel):
    """A plan: ``storage_quota`` bytes for ``period_days`` days at a ``price`` in whole units of ``currency``."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")

    plan: str
    price: int = Field(default=0, ge=0)
    currency: str = "VND"
    storage_quota: int = Field(ge=0, le=2**62)
    period_days: int = Field(default=30, ge=1)
    features: list[str] = []


def _default_plans() -> list[Plan]:
    return [
        Plan(plan="FREE", storage_quota=15 * GIB, period_days=36500),
        Plan(plan="PLUS", price=49_000, storage_quota=200 * GIB),
        Plan(plan="PRO", price=199_000, storage_quota=2 * TIB),
    ]


class Settings(BaseSettings):
    """All settings of the product."""

    model_config = SettingsConfigDict(env_prefix="METASTORE_", env_file=".env", extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=1, le=65535)
    http_server: Literal["extended", "uvicorn"] = "extended"
    """``extended`` transfers large bodies faster and limits slow clients; ``uvicorn`` is uvicorn's own protocol."""
    data_dir: Path = Path("data")
    """The folder of the embedded database, the objects and the secret key."""
    database_url: str = ""
    database_pool_size: int = Field(default=10, ge=2, le=1000)
    """Database connections per process, at most."""
    storage_url: str = ""
    broker_url: str = "memory://"
    cache_url: str = "memory://"
    public_url: str = ""
    """The address that users open, such as ``https://drive.example.org``. Empty: the address of each request."""
    objects_url: str = ""
    """The origin of the embedded store's data plane, if it is not ``public_url``."""
    secret_key: SecretStr = SecretStr("")
    """At least 32 characters. Generated and kept in ``data_dir`` if empty."""
    trusted_proxies: Annotated[list[IPv4Network | IPv6Network], NoDecode] = []
    """Addresses or networks whose ``X-Forwarded-For`` is trusted, separated by commas."""

    admin_username: str = "admin"
    admin_password: SecretStr = SecretStr("")
    registration: Literal["open", "closed"] = "open"
    access_token_ttl: Duration = 15 * 60
    refresh_token_ttl: Duration = 7 * 24 * 3600
    session_ttl: Duration = 90 * 24 * 3600
    """Time after sign-in until the password is required again, however often tokens were refreshed."""

    upload_ttl: Duration = 24 * 3600
    """Time without activity after which an upload expires."""
    presign_ttl: int = Field(default=3600, ge=1, le=7 * 24 * 3600)
    part_size: int = Field(default=5 * MIB, ge=1, le=5 * GIB)
    max_file_size: int = Field(default=5 * TIB, ge=1)
    max_simple_upload_size: int = Field(default=100 * MIB, ge=1)
    trash_ttl: Duration = 30 * 24 * 3600
    reaper_interval: Duration = 60
    plans: list[Plan] = Field(default_factory=_default_plans)

    s3_access_key_id: str = ""
    s3_secret_access_key: SecretStr = SecretStr("")
    """Empty: the AWS SDK's usual sources are used (``AWS_ACCESS_KEY_ID`` and others)."""

    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(default=0, ge=0, le=65535)
    """The port on which relays and workers serve ``/healthz``, ``/readyz`` and ``/metrics``; 0 turns this off."""
    drain_seconds: float = Field(default=1, ge=0, le=600)
    """Time for which a stopping API process reports 503 on ``/readyz`` before it closes its port."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("public_url", "objects_url")
    @classmethod
    def _origin(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        # Reading ``port`` raises ValueError for ports beyond 65535.
        lacks_host = not _HOST_AND_PORT.fullmatch(parts.netloc) or parts.port == 0
        if (
            parts.scheme not in ("http", "https")
            or lacks_host
            or parts.path.strip("/")
            or parts.query
            or parts.fragment
        ):
            raise ValueError("must be an origin such as https://drive.example.org")
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and len(value.get_secret_value()) < 32:
            raise ValueError("must have at least 32 characters")
        return value

    @field_validator("plans", mode="before")
    @classmethod
    def _plans_by_name(cls, value: object) -> object:
        """Accept ``{"FREE": {…}}`` as well as ``[{"plan": "FREE", …}]``."""
        if isinstance(value, dict):
            return [{"plan": name, **fields} if isinstance(fields, dict) else fields for name, fields in value.items()]
        return value

    @model_validator(mode="after")
    def _complete(self) -> "Settings":
        if not any(plan.plan == "FREE" for plan in self.plans):
            raise ValueError("METASTORE_PLANS: a FREE plan is needed")
        _check_scheme("DATABASE_URL", self.effective_database_url, _DATABASES)
        _check_scheme("STORAGE_URL", self.effective_storage_url, ("file", "s3"))
        _check_scheme("BROKER_URL", self.broker_url, _BROKERS)
        if not self.broker_url.startswith("memory:") and not _has_address(self.broker_url):
            raise ValueError(
                "METASTORE_BROKER_URL: must look like amqp://user:password@host:5672/ or kafka://host:9092"
            )
        _check_scheme("CACHE_URL", self.cache_url, _CACHES)
        if not self.cache_url.startswith("memory:") and not _has_address(self.cache_url):
            raise ValueError("METASTORE_CACHE_URL: must look like redis://:password@host:6379/0")
        return self

    @property
    def effective_database_url(self) -> str:
        """Return ``database_url``, or the URL of the embedded database in ``data_dir``."""
        return self.database_url or f"sqlite+aiosqlite:///{(self.data_dir / 'metastore.db').absolute()}"

    @property
    def effective_storage_url(self) -> str:
        """Return ``storage_url``, or the URL of the embedded store in ``data_dir``."""
        return self.storage_url or f"file://{(self.data_dir / 'objects').absolute()}"

    @property
    def free_plan(self) -> Plan:
        """Return the plan of new users."""
        return next(plan for plan in self.plans if plan.plan == "FREE")

    @property
    def secure_cookies(self) -> bool:
        """Return whether users reach the product over https."""
        return self.public_url.startswith("https://")


def _check_scheme(name: str, url: str, allowed: tuple[str, ...]) -> None:
    scheme = url.partition("://")[0]
    if scheme not in allowed or "://" not in url:
        raise ValueError(f"METASTORE_{name}: must start with one of {', '.join(a + '://' for a in allowed)}")


def _has_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def load_settings(**overrides: object) -> Settings:
    """Read the settings from the environment. Overrides (command-line options) that are not ``None`` take precedence.

    Raises:
        ConfigurationError: a setting is wrong; names the first one.
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]  # checked by pydantic
    except SettingsError:
        raise ConfigurationError("METASTORE_PLANS: must be JSON") from None
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper() if first["loc"] else ""
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(
            message if message.startswith("METASTORE_") else f"METASTORE_{name}: {message}"
        ) from None


def require_shared_backends(settings: Settings, command: str) -> None:
    """Refuse backends that only one process can use: separate processes share database, store, broker and cache.

    Raises:
        ConfigurationError: a backend cannot be shared; names the first setting to change.
    """
    needed = (
        ("DATABASE_URL", settings.effective_database_url, "postgresql+asyncpg://"),
        ("STORAGE_URL", settings.effective_storage_url, "s3://"),
        ("BROKER_URL", settings.broker_url, "amqp:// or kafka://"),
        ("CACHE_URL", settings.cache_url, "redis://"),
    )
    for name, url, shared in needed:
        scheme = urlsplit(url).scheme
        if scheme in ("sqlite+aiosqlite", "file", "memory"):
            raise ConfigurationError(
                f"METASTORE_{name}: {scheme}:// is for one process alone; metastore {command} needs {shared}"
            )
    if not settings.secret_key.get_secret_value():
        raise ConfigurationError(f"METASTORE_SECRET_KEY: metastore {command} needs the key that all processes share")


def load_secret_key(settings: Settings) -> bytes:
    """Return the key that signs tokens and URLs.

    If none is set, it is generated once and kept in ``data_dir``, readable by its owner only.

    Raises:
        ConfigurationError: the key's file cannot be read or written.
    """
    if settings.secret_key.get_secret_value():
        return settings.secret_key.get_secret_value().encode()
    path = settings.data_dir / "secret.key"
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            fresh = path.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_urlsafe(48))
            fresh.replace(path)
        return path.read_text().strip().encode()
    except OSError as error:
        raise ConfigurationError(f"METASTORE_DATA_DIR: {path} cannot be used: {error.strerror}") from None
