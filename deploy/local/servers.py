"""Private instances of the servers that MetaStore uses, each with its own ports and data folder.

Data survives a restart, except in Redis.
"""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Protocol
from urllib.request import Request, urlopen

from deploy.local.ports import free_port
from deploy.local.processes import ChildProcess, StackError, responds

_RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


class Server(Protocol):
    """A server of the stack."""

    child: ChildProcess

    def launch(self) -> None:
        """Start it without waiting."""
        ...

    def is_ready(self) -> bool:
        """Return whether it is ready for requests."""
        ...

    def end(self) -> None:
        """Stop it. Confirmed writes are kept."""
        ...


def program(name: str, *places: str) -> str:
    """Find a program in one of ``places`` or on the search path.

    Raises:
        StackError: the program is not installed.
    """
    for place in places:
        found = sorted(Path("/").glob(f"{place.lstrip('/')}/{name}"))
        if found:
            return str(found[-1])
    on_path = shutil.which(name)
    if on_path is None:
        raise StackError(f"{name} is missing; `.ci/ensure-tools stack` installs what is needed")
    return on_path


class PostgreSql:
    """The database. It refuses to run as root; root runs it as the system's ``postgres`` user."""

    def __init__(self, folder: Path, password: str, *, durable: bool = True) -> None:
        self.port = free_port()
        self.url = f"postgresql+asyncpg://metastore:{password}@127.0.0.1:{self.port}/metastore"
        self._folder = folder
        self._password = password
        self._durable = durable
        self._user = pwd.getpwnam("postgres").pw_name if os.geteuid() == 0 else None
        self.child = ChildProcess("PostgreSQL", folder.parent / "postgresql.log")

    def launch(self) -> None:
        """Implement ``Server``."""
        if not (self._folder / "PG_VERSION").exists():
            self._create_cluster()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
        }
        if not self._durable:
            # Commits still reach the operating system, so a killed server loses nothing.
            options |= {"fsync": "off", "full_page_writes": "off"}
        settings = [f"--{name}={value}" for name, value in options.items()]
        self.child.start([self._binary("postgres"), "-D", self._folder, *settings], folder=Path("/"), user=self._user)

    def is_ready(self) -> bool:
        """Implement ``Server``."""
        command = [self._binary("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        if subprocess.run(command, check=False).returncode != 0:
            return False
        self._create_database()
        return True

    def end(self) -> None:
        """Implement ``Server``, with a fast shutdown."""
        self.child.send_signal(signal.SIGINT)
        self.child.wait(20)

    def _create_cluster(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        secret = self._folder.parent / "postgresql.password"
        secret.touch(mode=0o600)
        secret.write_text(self._password)
        if self._user:
            shutil.chown(self._folder, self._user, self._user)
            shutil.chown(secret, self._user, self._user)
        command = [self._binary("initdb"), "-D", str(self._folder), "-U", "metastore", "-E", "UTF8", "--no-locale"]
        command += ["-A", "scram-sha-256", f"--pwfile={secret}", *([] if self._durable else ["-N"])]
        switch = [f"--reuid={self._user}", f"--regid={self._user}", "--init-groups"] if self._user else []
        created = subprocess.run(
            ["setpriv", *switch, "--", *command], cwd="/", capture_output=True, text=True, check=False
        )
        secret.unlink()
        if created.returncode:
            raise StackError(f"PostgreSQL cannot create its data folder {self._folder}: {created.stderr.strip()}")

    def _create_database(self) -> None:
        command = [self._binary("psql"), "-qAtX", "-h", "127.0.0.1", "-p", str(self.port), "-U", "metastore"]
        command += ["-d", "postgres"]
        environment = {**os.environ, "PGPASSWORD": self._password}
        query = [*command, "-c", "SELECT 1 FROM pg_database WHERE datname = 'metastore'"]
        if not subprocess.run(query, env=environment, capture_output=True, check=True).stdout.strip():
            subprocess.run([*command, "-c", "CREATE DATABASE metastore"], env=environment, check=True)

    def _binary(self, name: str) -> str:
        return program(name, "/usr/lib/postgresql/*/bin")


class Redis:
    """The cache. It keeps nothing on disk."""

    def __init__(self, folder: Path, password: str) -> None:
        self.port = free_port()
        self.url = f"redis://:{password}@127.0.0.1:{self.port}/0"
        self._folder = folder
        self._password = password
        self.child = ChildProcess("Redis", folder.parent / "redis.log")

    def launch(self) -> None:
        """Implement ``Server``."""
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "redis.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f'bind 127.0.0.1\nport {self.port}\nrequirepass {self._password}\nsave ""\ndir {self._folder}\n'
        )
        self.child.start([program("redis-server"), configuration], folder=self._folder)

    def is_ready(self) -> bool:
        """Implement ``Server``."""
        return responds(self.port, b"PING\r\n", b"-NOAUTH")

    def end(self) -> None:
        """Implement ``Server``."""
        self.child.send_signal()
        self.child.wait(10)


class RabbitMq:
    """The broker, with an ``epmd`` of its own: Debian's wrapper would share that of the system's broker."""

    def __init__(self, folder: Path, password: str) -> None:
        self.port = free_port()
        self.url = f"amqp://metastore:{password}@127.0.0.1:{self.port}/"
        self._folder = folder
        self._password = password
        self._epmd_port, self._dist_port = free_port(), free_port()
        self._epmd = ChildProcess("epmd", folder.parent / "rabbitmq.log")
        self.child = ChildProcess("RabbitMQ", folder.parent / "rabbitmq.log")

    def launch(self) -> None:
        """Implement ``Server``."""
        if not _RABBITMQ.exists():
            raise StackError("rabbitmq-server is missing; `.ci/ensure-tools stack` installs what is needed")
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "plugins").write_text("[].\n")
        # Erlang looks up host names in this file instead of starting a resolver process.
        (self._folder / "inetrc").write_text('{lookup, [file]}.\n{host, {127,0,0,1}, ["localhost"]}.\n')
        configuration = self._folder / "rabbitmq.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            f"default_user = metastore\ndefault_pass = {self._password}\n"
            "raft.wal_max_size_bytes = 16777216\ndisk_free_limit.absolute = 50MB\nlog.console = false\n"
        )
        if not self._epmd.is_running:
            epmd = [program("epmd"), "-port", str(self._epmd_port), "-address", "127.0.0.1"]
            self._epmd.start(epmd, folder=self._folder)
            self._epmd.wait_until(lambda: responds(self._epmd_port, b"\x00\x01n", b""))
        self.child.start([_RABBITMQ], folder=self._folder, environment=self._environment())

    def is_ready(self) -> bool:
        """Implement ``Server``."""
        return responds(self.port, b"AMQP\x00\x00\x09\x01", b"\x01")

    def end(self) -> None:
        """Implement ``Server``."""
        self.child.send_signal()
        self.child.wait(30)
        self._epmd.kill()

    def _environment(self) -> dict[str, str]:
        folder = str(self._folder)
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("RABBITMQ_")},
            "HOME": folder,  # holds the Erlang cookie
            "ERL_INETRC": f"{folder}/inetrc",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": "metastore@localhost",
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/advanced",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"
            " -noinput",
            # Otherwise the wrapper script keeps running and does not forward signals to the server.
            "RUNNING_UNDER_SYSTEMD": "true",
        }


class SeaweedFs:
    """The S3 server. ``-master.telemetry=false`` turns off the usage reports that it sends by default."""

    def __init__(self, folder: Path, secret_key: str, *, volume_mb: int = 512) -> None:
        self._volume_mb = volume_mb
        roles = ("master", "volume", "filer", "s3")
        self._ports = {name: free_port() for role in roles for name in (f"{role}.port", f"{role}.port.grpc")}
        self.port = self._ports["s3.port"]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.access_key, self.secret_key = "metastore", secret_key
        self._folder = folder
        self.child = ChildProcess("SeaweedFS", folder.parent / "seaweedfs.log")

    def launch(self) -> None:
        """Implement ``Server``."""
        self._folder.mkdir(parents=True, exist_ok=True)
        identities = self._folder / "s3.json"
        identities.touch(mode=0o600)
        credentials = [{"accessKey": self.access_key, "secretKey": self.secret_key}]
        identity = {"name": "metastore", "credentials": credentials, "actions": ["Admin", "Read", "Write"]}
        identities.write_text(json.dumps({"identities": [identity]}))
        self.child.start(
            [
                program("weed", str(Path(sys.executable).parent)),
                "server",
                f"-dir={self._folder}",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                "-master.telemetry=false",
                "-filer",
                "-s3",
                f"-s3.config={identities}",
                *(f"-{name}={port}" for name, port in self._ports.items()),
                f"-filer.localSocket={self._folder / 'filer.sock'}",
                f"-s3.localSocket={self._folder / 's3.sock'}",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                "-volume.max=0",
                f"-master.volumeSizeLimitMB={self._volume_mb}",
                "-volume.preStopSeconds=0",
                "-master.electionTimeout=1s",
            ],
            folder=self._folder,
        )

    def is_ready(self) -> bool:
        """Return whether S3 responds and a file can be written, which needs all components of the server."""
        probe = Request(f"http://127.0.0.1:{self._ports['filer.port']}/probe", b"ready", method="PUT")
        try:
            urlopen(probe, timeout=5).close()
        except OSError:
            return False
        return responds(self.port, b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.1 403") or responds(
            self.port, b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.0 403"
        )

    def end(self) -> None:
        """Kill it, since SIGTERM takes 16 seconds; confirmed writes are already in its files."""
        self.child.kill()
