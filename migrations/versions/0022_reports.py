"""0022 reports"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0022_reports"
down_revision = "0023_forget_addresses"


def upgrade() -> None:
    run_sql(op, "0022_reports.sql")
