"""What people deploy with: the containers' description, the gateway's configuration, the settings' examples."""

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
    """The names of all ``${NAME…}``, but for the escaped."""
    return set(re.findall(r"(?<!\$)\$\{(\w+)", text))


def values(example: str) -> dict[str, str]:
    """The settings of an env file."""
    lines = (DEPLOY / example).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_every_service_says_when_it_is_well() -> None:
    """All but the one that migrates and ends."""
    assert {"migrate"} == {name for name, service in SERVICES.items() if "healthcheck" not in service}


def test_the_stack_has_all_its_parts() -> None:
    """Two API processes, a relay and workers behind a gateway, on the servers that they need."""
    commands = [service.get("command", [""])[0] for service in SERVICES.values()]
    assert 2 == commands.count("api")
    assert {"relay", "worker", "migrate"} <= set(commands)
    assert {"gateway", "postgresql", "redis", "rabbitmq", "seaweedfs"} <= SERVICES.keys()


async def test_every_consumer_and_job_runs_somewhere(tmp_path: Path) -> None:
    """A new one is listed with some worker, else its queue would only grow; and no worker has a name that is none."""
    listed = [service["command"] for service in SERVICES.values() if service.get("command", [""])[0] == "worker"]
    named = {name for command in listed for name in command[1:]}
    async with running(tmp_path) as product:
        known = product.product.consumers | set(product.product.jobs)
    assert known == named


def test_only_the_gateway_can_be_reached_from_outside() -> None:
    """Nothing else publishes a port."""
    assert ["gateway"] == [name for name, service in SERVICES.items() if "ports" in service]


def test_the_gateway_shows_nobody_the_metrics() -> None:
    """Whoever comes through it may have a private address, of the containers' network for one."""
    place = re.search(r"location = /metrics \{(.*?)\}", TEMPLATE.read_text(), re.DOTALL)
    assert place is not None
    assert "deny all;" == place[1].strip()


def test_every_image_is_pinned() -> None:
    """So that what was tried is what runs."""
    images = [service["image"] for service in SERVICES.values()]
    assert [] == [image for image in images if "latest" in image or ":" not in image]


def test_no_secret_is_in_the_description() -> None:
    """Every password and key is asked for by name, and ``make_env.py`` makes it."""
    text = (DEPLOY / "compose.yaml").read_text()
    for setting, value in re.findall(r"^ +(\w*(?:PASSWORD|SECRET|PASS)\w*): (.+)$", text, re.MULTILINE):
        assert value.startswith("${"), setting
    asked = {name for name in variables(text) if re.search("PASSWORD|SECRET", name)}
    made = {name for name, value in values("scale-out.env.example").items() if not value}
    assert asked == made


def test_every_variable_without_a_default_is_in_the_example() -> None:
    """So that the file that ``make_env.py`` writes is enough."""
    text = (DEPLOY / "compose.yaml").read_text()
    needed = set(re.findall(r"(?<!\$)\$\{(\w+):\?", text))
    assert needed <= values("scale-out.env.example").keys()


def test_services_are_given_settings_that_exist() -> None:
    """A setting that nobody reads is a mistake in spelling."""
    known = {f"METASTORE_{name.upper()}" for name in Settings.model_fields}
    for name in ("api-1", "relay", "worker", "migrate"):
        assert SERVICES[name]["environment"].keys() <= known
    assert values("embedded.env.example").keys() <= known


def test_the_gateway_is_the_one_proxy_that_is_trusted() -> None:
    """Its address is the one that the API believes."""
    address = SERVICES["gateway"]["networks"]["stack"]["ipv4_address"]
    assert address == SERVICES["api-1"]["environment"]["METASTORE_TRUSTED_PROXIES"]


def test_secrets_are_made_once_and_fresh(tmp_path: Path) -> None:
    """The file is its owner's alone; a second run leaves it as it is."""
    here, there = tmp_path / "here.env", tmp_path / "there.env"
    assert [0, 0] == [make_env.main([str(here)]), make_env.main([str(there)])]
    first = here.read_text()
    assert 1 == make_env.main([str(here)])
    assert first == here.read_text() != there.read_text()
    assert 0o600 == here.stat().st_mode & 0o777
    assert not re.search("=$", first, re.MULTILINE)


@pytest.mark.parametrize("where", ["containers", "plain processes"])
def test_nginx_accepts_the_gateways_configuration(tmp_path: Path, where: str) -> None:
    """As it is filled in for containers, and for plain processes."""
    nginx = Nginx(tmp_path, port=free_port(), store_port=free_port(), apis=[1, 2], store=3)
    command = nginx.write()
    if where == "containers":
        set_ = {name: str(value) for name, value in SERVICES["gateway"]["environment"].items()}
        set_["METASTORE_CLIENT_RATE"] = "200r/s"
        text = filled_in(TEMPLATE.read_text(), set_)
        # Names that only the containers' network knows.
        (tmp_path / "gateway.conf").write_text(re.sub(r"server (api-\d|seaweedfs):", "server 127.0.0.1:", text))
    done = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr
