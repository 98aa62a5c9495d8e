"""nginx: each part is a file, uploaded by WebDAV PUT; downloads by sendfile."""

import shutil
from pathlib import Path

from benchmarks.contender import PARALLEL, PART_SIZE, Uploaded
from benchmarks.load import Load, Send, parts_of
from benchmarks.process import ServerProcess
from deploy.local.ports import free_port

_CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes auto;
{user}
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    open_file_cache max=1000;
    client_max_body_size 0;
    client_body_temp_path {folder}/temp;
    proxy_temp_path {folder}/temp-proxy;
    fastcgi_temp_path {folder}/temp-fastcgi;
    uwsgi_temp_path {folder}/temp-uwsgi;
    scgi_temp_path {folder}/temp-scgi;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/files;
        location / {{ dav_methods PUT DELETE; }}
    }}
}}
"""


class Nginx:
    """A contender that does not sync uploads."""

    name = "nginx"
    many_readers = True

    def __init__(self, load: Load, folder: Path, size: int) -> None:
        self._load = load
        self._files = folder / "files"
        self._files.mkdir()
        load.write_file(self._files / "whole", size)
        port = free_port()
        # As root, nginx would switch to a user without write permission here.
        user = "user root;" if folder.owner() == "root" else ""
        configuration = folder / "nginx.conf"
        configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, user=user))
        command = [shutil.which("nginx") or "/usr/sbin/nginx", "-p", str(folder), "-c", str(configuration)]
        self.process = ServerProcess(command, port, folder)

    def upload(self, size: int) -> Uploaded:
        """Send one PUT for each part."""
        requests = [Send("PUT", f"/part-{offset}", offset, length) for offset, length in parts_of(size, PART_SIZE)]
        sent = self._load.send(self.process.port, requests, PARALLEL)
        return Uploaded(sent.seconds, durable=False, files=sorted(self._files.glob("part-*")))

    def clear(self) -> None:
        """Delete the parts."""
        for path in self._files.glob("part-*"):
            path.unlink()

    def download_path(self) -> str:
        """Return the path of the file written at start."""
        return "/whole"

    def end(self) -> None:
        """Stop the server."""
        self.process.end()
