"""The recurring job of accounts: deleting expired sessions."""

from metastore.features.auth.service import AuthService
from metastore.kit.database import Database
from metastore.kit.feature import Job


def delete_expired_sessions(database: Database, auth: AuthService) -> Job:
    """Return a job that deletes the rows of expired sessions."""

    async def delete() -> None:
        async with database.transaction() as tx:
            await auth.forget_expired_sessions(tx)

    return delete
