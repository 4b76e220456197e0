"""0024 carried"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0024_carried"
down_revision = "0023_forget_addresses"


def upgrade() -> None:
    run_sql(op, "0024_carried.sql")
