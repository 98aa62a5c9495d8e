"""nginx as the gateway, configured from the same template as in containers."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local.processes import ChildProcess, responds
from deploy.local.servers import program

TEMPLATE = Path(__file__).parents[1] / "nginx" / "gateway.conf.template"

_MAIN_CONFIGURATION = """daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
worker_processes 2;
{user}
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/gateway.conf;
}}
"""


class Nginx:
    """A ``Server`` that forwards ``port`` to the API processes and ``store_port`` to the object store."""

    def __init__(self, folder: Path, *, port: int, store_port: int, apis: Sequence[int], store: int) -> None:
        self.port, self.store_port = port, store_port
        self._folder = folder
        self._values = {
            "METASTORE_API_SERVERS": " ".join(f"server 127.0.0.1:{api} max_fails=0;" for api in apis),
            "METASTORE_STORE_SERVERS": f"server 127.0.0.1:{store};",
            "METASTORE_GATEWAY_LISTEN": f"127.0.0.1:{port}",
            "METASTORE_STORE_LISTEN": f"127.0.0.1:{store_port}",
            # All clients on the loopback interface share one address.
            "METASTORE_CLIENT_RATE": "10000r/s",
        }
        self.child = ChildProcess("nginx", folder / "error.log")

    def write(self) -> list[str]:
        """Write the configuration and return the command that starts nginx with it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        # As root, nginx would switch to a user who may not write to this folder.
        user = "user root;" if os.geteuid() == 0 else ""
        main = self._folder / "nginx.conf"
        main.write_text(_MAIN_CONFIGURATION.format(folder=self._folder, user=user))
        (self._folder / "gateway.conf").write_text(filled_in(TEMPLATE.read_text(), self._values))
        return [program("nginx", "/usr/sbin"), "-p", str(self._folder), "-c", str(main), "-e", str(self.child.log)]

    def launch(self) -> None:
        """Implement ``Server``."""
        self.child.start(self.write(), folder=self._folder)

    def is_ready(self) -> bool:
        """Return whether an API process responds through the gateway."""
        return responds(self.port, b"GET /healthz HTTP/1.0\r\nHost: gateway\r\n\r\n", b"HTTP/1.1 200")

    def end(self) -> None:
        """Stop nginx after the requests in progress."""
        self.child.send_signal()
        self.child.wait(10)


def filled_in(template: str, values: Mapping[str, str]) -> str:
    """Replace each ``${METASTORE_…}`` in the template, as ``envsubst`` does, and leave nginx's own variables."""
    return re.sub(r"\$\{(METASTORE_\w+)\}", lambda found: values[found[1]], template)
