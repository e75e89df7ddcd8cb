"""Alembic's entry: runs the steps on the connection the caller opened, inside its transaction.

The caller owns the transaction and the lock, so a failed step leaves nothing behind and two
processes that start together take turns.
"""

from alembic import context


def run() -> None:
    """Run what is asked on the connection handed over in the configuration."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=context.config.attributes.get("metadata"),
        render_as_batch=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
