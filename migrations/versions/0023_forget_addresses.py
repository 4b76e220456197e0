"""0023 forget addresses"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0023_forget_addresses"
down_revision = "0021_correct"


def upgrade() -> None:
    run_sql(op, "0023_forget_addresses.sql")
