"""Takes the steps of the schema that a database has not taken yet: the one door to Alembic.

Not to be imported at the top of a module: Alembic and what it pulls weigh 12 MB and half a second,
and a process that serves a database which is up to date needs none of it.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def take(connection: Connection, folder: Path) -> None:
    """Take every step in `folder` that is missing, in the transaction of the connection."""
    config = configuration(folder)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def configuration(folder: Path) -> Config:
    """Answer Alembic's configuration without a file, so that it works from an installed wheel."""
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config
