"""0019 stock reports"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0019_stock_reports"
down_revision = "0018_operations"


def upgrade() -> None:
    run_sql(op, "0019_stock_reports.sql")
