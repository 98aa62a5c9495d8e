"""``metastore admin create-user``: create an account directly in the database."""

import secrets
import sys

from metastore.bootstrap import build_accounts, prepare_database
from metastore.config import ConfigurationError, Settings
from metastore.features.auth.accounts.provisioning import create_user
from metastore.kit.database.unit_of_work import Database


async def create(settings: Settings, username: str, email: str, role: str, password: str | None) -> None:
    """Create an account. A generated password is printed once.

    Raises:
        ConfigurationError: the name, address or password is invalid.
        Problem: 409 if the name or address is taken, 503 if the database is unavailable.
    """
    generated = "" if password else secrets.token_urlsafe(15)
    await prepare_database(settings)
    database = Database(settings.effective_database_url)
    try:
        user = await create_user(
            build_accounts(settings),
            database,
            username=username,
            email=email,
            password=password or generated,
            admin=role == "ADMIN",
        )
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    finally:
        await database.aclose()
    suffix = f" with the password {generated} (shown only once)" if generated else ""
    sys.stdout.write(f"Created {user.username}{suffix}\n")
