"""Alembic's entry: every revision is one plain SQL file, run in one transaction."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, pool

url = context.config.attributes["url"]
engine = create_engine(
    "postgresql+psycopg" + url[url.index("://") :],
    poolclass=pool.NullPool,
    connect_args={"options": "-c lock_timeout=5000 -c statement_timeout=600000"},
)
with engine.connect() as connection:
    # Two programs that start at once must not migrate at once.
    connection.exec_driver_sql("SELECT pg_advisory_lock(7300)")
    connection.commit()
    context.configure(
        connection=connection,
        version_table="alembic_version",
        transaction_per_migration=True,
        target_metadata=None,
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
