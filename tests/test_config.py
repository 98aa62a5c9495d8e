"""Settings: environment variables, options, and one-line error messages."""

import json
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from metastore.config import ConfigurationError, Settings, load_secret_key, load_settings


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run in an empty directory, so that no ``.env`` file is read."""
    monkeypatch.chdir(tmp_path)


def test_the_defaults_are_embedded_adapters_in_the_data_directory(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "d")
    assert settings.effective_database_url == f"sqlite+aiosqlite:///{tmp_path}/d/metastore.db"
    assert settings.effective_storage_url == f"file://{tmp_path}/d/objects"


def test_options_take_precedence_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METASTORE_PORT", "9000")
    monkeypatch.setenv("METASTORE_HOST", "0.0.0.0")
    settings = load_settings(port=9001, host=None)
    assert (settings.host, settings.port) == ("0.0.0.0", 9001)


def test_a_dot_env_file_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("METASTORE_UPLOAD_TTL=5\n")
    assert load_settings().upload_ttl == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("PART_SIZE", "0"),
        ("UPLOAD_TTL", "-1"),
        ("UPLOAD_TTL", "99999999999999999999"),
        ("ACCESS_TOKEN_TTL", "99999999999999"),
        ("TRASH_TTL", "999999999999"),
        ("REGISTRATION", "maybe"),
        ("DATABASE_URL", "mysql://x"),
        ("STORAGE_URL", "ftp://x"),
        ("BROKER_URL", "amqp"),
        ("BROKER_URL", "amqp://"),
        ("BROKER_URL", "amqp://broker:port/"),
        ("CACHE_URL", "memcached://x"),
        ("PUBLIC_URL", "drive.example.org"),
        ("PUBLIC_URL", "https://drive.example.org/path"),
        ("PUBLIC_URL", "https://me:secret@drive.example.org"),
        ("PUBLIC_URL", "https://drive example.org"),
        ("PUBLIC_URL", "https://:8080"),
        ("PUBLIC_URL", "https://drive.example.org:99999"),
        ("SECRET_KEY", "short"),
        ("PLANS", '{"PLUS": {"storageQuota": 5}}'),
        ("PLANS", '{"FREE": 7}'),
        ("PLANS", '{"FREE": {"storageQuota": 9223372036854775808}}'),
        ("TRUSTED_PROXIES", "10.0.0.0/99"),
    ],
)
def test_an_invalid_setting_is_named_in_a_one_line_error(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"METASTORE_{name}", value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    message = str(caught.value)
    assert message.startswith(f"METASTORE_{name}")
    assert "\n" not in message


def test_plans_that_are_not_json_are_a_one_line_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METASTORE_PLANS", "{not json")
    with pytest.raises(ConfigurationError, match=r"METASTORE_PLANS.*JSON"):
        load_settings()


def test_plans_may_be_given_by_name_or_as_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    by_name = {"FREE": {"storageQuota": 10}, "PRO": {"storageQuota": 20, "price": 5}}
    as_list = [{"plan": name, **fields} for name, fields in by_name.items()]
    for plans in (by_name, as_list):
        monkeypatch.setenv("METASTORE_PLANS", json.dumps(plans))
        settings = load_settings()
        assert settings.free_plan.storage_quota == 10
        assert [plan.plan for plan in settings.plans] == ["FREE", "PRO"]


def test_proxies_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METASTORE_TRUSTED_PROXIES", "10.0.0.1, 192.168.0.0/16")
    assert load_settings().trusted_proxies == [IPv4Network("10.0.0.1/32"), IPv4Network("192.168.0.0/16")]


def test_cookies_are_secure_if_the_public_url_is_https() -> None:
    assert Settings(public_url="https://drive.example.org").secure_cookies
    assert not Settings(public_url="http://drive.example.org").secure_cookies
    assert not Settings().secure_cookies


def test_the_secret_key_is_generated_once_and_readable_only_by_its_owner(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "d")
    first = load_secret_key(settings)
    assert len(first) >= 32
    assert load_secret_key(settings) == first
    assert (tmp_path / "d" / "secret.key").stat().st_mode & 0o777 == 0o600


def test_a_configured_secret_key_is_used_and_not_written(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "d", secret_key="k" * 32)
    assert load_secret_key(settings) == b"k" * 32
    assert not (tmp_path / "d").exists()


def test_secrets_are_not_in_the_repr() -> None:
    assert "hunter2hunter2" not in repr(load_settings(admin_password="hunter2hunter2"))
