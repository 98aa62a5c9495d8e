"""``metastore admin create-user``: an account made beside the server, on its own database."""

import secrets
import sys

from metastore.bootstrap import build_accounts, prepare_database
from metastore.config import ConfigurationError, Settings
from metastore.features.auth.commands import create_user
from metastore.kit.database import Database


async def create(settings: Settings, username: str, email: str, role: str, password: str | None) -> None:
    """Make an account; a password that had to be made is printed, this once.

    Raises:
        ConfigurationError: the name, address or password is not acceptable.
        Problem: 409, the name or address is taken; 503, the database does not answer.
    """
    made = "" if password else secrets.token_urlsafe(15)
    await prepare_database(settings)
    database = Database(settings.effective_database_url)
    try:
        user = await create_user(
            build_accounts(settings),
            database,
            username=username,
            email=email,
            password=password or made,
            admin=role == "ADMIN",
        )
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    finally:
        await database.aclose()
    told = f" with the password {made} (shown this once)" if made else ""
    sys.stdout.write(f"Created {user.username}{told}\n")
