"""The deployment files: the Compose file, the gateway's configuration and the example settings."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # the package has no types

from deploy import make_env
from deploy.local.gateway import TEMPLATE, Nginx, filled_in
from deploy.local.ports import free_port
from metastore.config import Settings
from tests.fixtures.product import running

DEPLOY = TEMPLATE.parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


def variables(text: str) -> set[str]:
    """Return the names of all ``${NAME…}`` that are not escaped."""
    return set(re.findall(r"(?<!\$)\$\{(\w+)", text))


def values(example: str) -> dict[str, str]:
    """Return the settings in an env file."""
    lines = (DEPLOY / example).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_every_service_has_a_health_check() -> None:
    """Except for the one that migrates and ends."""
    assert {"migrate"} == {name for name, service in SERVICES.items() if "healthcheck" not in service}


def test_the_stack_is_complete() -> None:
    """Two API processes, a relay and workers behind a gateway, with the servers that they need."""
    commands = [service.get("command", [""])[0] for service in SERVICES.values()]
    assert 2 == commands.count("api")
    assert {"relay", "worker", "migrate"} <= set(commands)
    assert {"gateway", "postgresql", "redis", "rabbitmq", "seaweedfs"} <= SERVICES.keys()


async def test_every_consumer_and_job_is_assigned_to_a_worker(tmp_path: Path) -> None:
    """The queue of an unassigned consumer would only grow. No worker has an unknown name."""
    listed = [service["command"] for service in SERVICES.values() if service.get("command", [""])[0] == "worker"]
    named = {name for command in listed for name in command[1:]}
    async with running(tmp_path) as product:
        known = product.product.consumers | set(product.product.jobs)
    assert known == named


def test_only_the_gateway_can_be_reached_from_outside() -> None:
    """Nothing else publishes a port."""
    assert ["gateway"] == [name for name, service in SERVICES.items() if "ports" in service]


def test_the_gateway_does_not_serve_the_metrics() -> None:
    """They are served to private addresses, and a request through the gateway may have one."""
    location = re.search(r"location = /metrics \{(.*?)\}", TEMPLATE.read_text(), re.DOTALL)
    assert location is not None
    assert "deny all;" == location[1].strip()


def test_every_image_is_pinned() -> None:
    """The images in use are those that were tested."""
    images = [service["image"] for service in SERVICES.values()]
    assert [] == [image for image in images if "latest" in image or ":" not in image]


def test_the_compose_file_contains_no_secrets() -> None:
    """It refers to every password and key by name, and ``make_env.py`` generates them."""
    text = (DEPLOY / "compose.yaml").read_text()
    for setting, value in re.findall(r"^ +(\w*(?:PASSWORD|SECRET|PASS)\w*): (.+)$", text, re.MULTILINE):
        assert value.startswith("${"), setting
    required = {name for name in variables(text) if re.search("PASSWORD|SECRET", name)}
    generated = {name for name, value in values("scale-out.env.example").items() if not value}
    assert required == generated


def test_every_variable_without_a_default_is_in_the_example() -> None:
    """The file that ``make_env.py`` writes is sufficient."""
    text = (DEPLOY / "compose.yaml").read_text()
    needed = set(re.findall(r"(?<!\$)\$\{(\w+):\?", text))
    assert needed <= values("scale-out.env.example").keys()


def test_services_have_only_settings_that_exist() -> None:
    """An unknown setting is a spelling mistake."""
    known = {f"METASTORE_{name.upper()}" for name in Settings.model_fields}
    for name in ("api-1", "relay", "worker", "migrate"):
        assert SERVICES[name]["environment"].keys() <= known
    assert values("embedded.env.example").keys() <= known


def test_only_the_gateway_is_a_trusted_proxy() -> None:
    """The API trusts forwarded addresses from it only."""
    address = SERVICES["gateway"]["networks"]["stack"]["ipv4_address"]
    assert address == SERVICES["api-1"]["environment"]["METASTORE_TRUSTED_PROXIES"]


def test_secrets_are_generated_once(tmp_path: Path) -> None:
    """Each file gets secrets of its own, and only its owner can read it. A second run does not change it."""
    here, there = tmp_path / "here.env", tmp_path / "there.env"
    assert [0, 0] == [make_env.main([str(here)]), make_env.main([str(there)])]
    first = here.read_text()
    assert 1 == make_env.main([str(here)])
    assert first == here.read_text() != there.read_text()
    assert 0o600 == here.stat().st_mode & 0o777
    assert not re.search("=$", first, re.MULTILINE)


@pytest.mark.parametrize("where", ["containers", "plain processes"])
def test_nginx_accepts_the_gateways_configuration(tmp_path: Path, where: str) -> None:
    """As filled in for containers, and for plain processes."""
    nginx = Nginx(tmp_path, port=free_port(), store_port=free_port(), apis=[1, 2], store=3)
    command = nginx.write()
    if where == "containers":
        settings = {name: str(value) for name, value in SERVICES["gateway"]["environment"].items()}
        settings["METASTORE_CLIENT_RATE"] = "200r/s"
        text = filled_in(TEMPLATE.read_text(), settings)
        # These names can be resolved in the containers' network only.
        (tmp_path / "gateway.conf").write_text(re.sub(r"server (api-\d|seaweedfs):", "server 127.0.0.1:", text))
    done = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr
