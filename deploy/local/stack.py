"""The whole stack. It starts in the order of dependencies and stops in the reverse order."""

import contextlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from deploy.local.gateway import Nginx
from deploy.local.ports import free_port
from deploy.local.processes import ChildProcess, StackError
from deploy.local.servers import PostgreSql, RabbitMq, Redis, SeaweedFs, Server

COMMAND = (sys.executable, "-I", "-m", "metastore")
"""Isolated (``-I``), so that no file in the stack's folder is imported."""
STOP_SECONDS = 30


@dataclass
class ProductProcess:
    """A MetaStore process."""

    child: ChildProcess
    arguments: Sequence[str]
    port: int
    """The port that serves ``/readyz``."""

    @property
    def address(self) -> str:
        """Return the address of the process itself, which bypasses the gateway."""
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        """Return whether the process is ready."""
        try:
            with urlopen(f"{self.address}/readyz", timeout=5) as response:
                return bool(response.status == 200)
        except (HTTPError, OSError):
            return False


@dataclass(frozen=True)
class Size:
    """The number of processes of each kind. ``workers`` holds the arguments of each worker."""

    apis: int = 2
    relays: int = 1
    workers: Sequence[Sequence[str]] = field(default_factory=lambda: [()])


class Stack:
    """A complete stack with its data in ``folder``.

    Clients reach the API at ``port`` and the object store at ``store_port``; 0 chooses a free port. ``settings`` are
    MetaStore settings without their prefix. ``durable=False`` makes PostgreSQL faster, for tests.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        store_port: int = 0,
        size: Size | None = None,
        settings: Mapping[str, str] | None = None,
        durable: bool = True,
    ) -> None:
        self.folder = folder.absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._secrets = _load_secrets(self.folder / "secrets.json")
        self.postgresql = PostgreSql(self.folder / "postgresql", self._secrets["postgresql"], durable=durable)
        self.redis = Redis(self.folder / "redis", self._secrets["redis"])
        self.rabbitmq = RabbitMq(self.folder / "rabbitmq", self._secrets["rabbitmq"])
        self.seaweedfs = SeaweedFs(self.folder / "seaweedfs", self._secrets["s3"])
        size = size or Size()
        self.apis = [self._part(f"api-{n}", ["api"], "--port") for n in range(1, size.apis + 1)]
        self.relays = [self._part(f"relay-{n}", ["relay"], "--metrics-port") for n in range(1, size.relays + 1)]
        self.workers = [
            self._part(f"worker-{n}", ["worker", *names], "--metrics-port")
            for n, names in enumerate(size.workers, start=1)
        ]
        self.nginx = Nginx(
            self.folder / "nginx",
            port=port or free_port(),
            store_port=store_port or free_port(),
            apis=[api.port for api in self.apis],
            store=self.seaweedfs.port,
        )
        self._settings = {**self._base_settings(), **(settings or {})}

    @property
    def address(self) -> str:
        """Return the address of the gateway."""
        return f"http://127.0.0.1:{self.nginx.port}"

    @property
    def admin(self) -> tuple[str, str]:
        """Return the name and password of the first admin."""
        return self._settings["ADMIN_USERNAME"], self._settings["ADMIN_PASSWORD"]

    @property
    def parts(self) -> list[ProductProcess]:
        """Return all MetaStore processes."""
        return [*self.apis, *self.relays, *self.workers]

    def start(self) -> None:
        """Start everything and wait until it is ready.

        Raises:
            StackError: a program is missing or does not start.
        """
        backends: list[Server] = [self.postgresql, self.redis, self.rabbitmq, self.seaweedfs]
        for server in backends:
            server.launch()
        _in_parallel([partial(server.child.wait_until, server.is_ready) for server in backends])
        self.migrate()
        for part in self.parts:
            self.launch(part)
        self.nginx.launch()
        _in_parallel([partial(part.child.wait_until, part.is_ready) for part in self.parts])
        self.nginx.child.wait_until(self.nginx.is_ready)

    def migrate(self) -> None:
        """Migrate the database to the current schema."""
        done = subprocess.run(
            [*COMMAND, "migrate"], env=self.environment(), cwd=self.folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise StackError(done.stderr.strip())

    def launch(self, part: ProductProcess) -> None:
        """Start a MetaStore process without waiting for it."""
        part.child.start([*COMMAND, *part.arguments], folder=self.folder, environment=self.environment())

    def restart(self, part: ProductProcess) -> int:
        """Stop a process gracefully and start it again. Returns its exit code once the new one is ready."""
        part.child.send_signal()
        code = part.child.wait(STOP_SECONDS)
        self.launch(part)
        part.child.wait_until(part.is_ready)
        return code

    def stop(self) -> None:
        """Stop everything: the gateway first, so that no more requests arrive, and the servers last."""
        self.nginx.end()
        for part in self.parts:
            part.child.send_signal()
        for part in self.parts:
            part.child.wait(STOP_SECONDS)
        _in_parallel([self.postgresql.end, self.redis.end, self.rabbitmq.end, self.seaweedfs.end])

    def ended(self) -> ChildProcess | None:
        """Return a process that has exited although it should be running."""
        servers: list[Server] = [self.postgresql, self.redis, self.rabbitmq, self.seaweedfs, self.nginx]
        children = [*(server.child for server in servers), *(part.child for part in self.parts)]
        return next((child for child in children if not child.is_running), None)

    def environment(self) -> dict[str, str]:
        """Return the environment of the MetaStore processes."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("METASTORE_")}
        return {**inherited, **{f"METASTORE_{name}": value for name, value in self._settings.items()}}

    def _part(self, name: str, arguments: Sequence[str], port_option: str) -> ProductProcess:
        port = free_port()
        return ProductProcess(
            ChildProcess(name, self.folder / f"{name}.log"), [*arguments, port_option, str(port)], port
        )

    def _base_settings(self) -> dict[str, str]:
        store = f"http://127.0.0.1:{self.nginx.store_port}"
        return {
            "DATABASE_URL": self.postgresql.url,
            "BROKER_URL": self.rabbitmq.url,
            "CACHE_URL": self.redis.url,
            "STORAGE_URL": f"s3://metastore?endpoint={self.seaweedfs.endpoint}&public_endpoint={store}",
            "S3_ACCESS_KEY_ID": self.seaweedfs.access_key,
            "S3_SECRET_ACCESS_KEY": self.seaweedfs.secret_key,
            "SECRET_KEY": self._secrets["metastore"],
            "ADMIN_USERNAME": "admin",
            "ADMIN_PASSWORD": self._secrets["admin"],
            "DATA_DIR": str(self.folder / "data"),
            "TRUSTED_PROXIES": "127.0.0.1",
        }


@contextlib.contextmanager
def running(stack: Stack) -> Iterator[Stack]:
    """Start the stack, and stop it at the end of the block even if starting fails."""
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


def _load_secrets(path: Path) -> dict[str, str]:
    if not path.exists():
        path.touch(mode=0o600)
        names = ("postgresql", "redis", "rabbitmq", "s3", "metastore", "admin")
        path.write_text(json.dumps({name: secrets.token_urlsafe(15 if name == "admin" else 36) for name in names}))
    loaded: dict[str, str] = json.loads(path.read_text())
    return loaded


def _in_parallel(steps: Sequence[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(len(steps)) as pool:
        for outcome in [pool.submit(step) for step in steps]:
            outcome.result()
