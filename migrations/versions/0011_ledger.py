"""0011 ledger"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0011_ledger"
down_revision = "0010_search"


def upgrade() -> None:
    run_sql(op, "0011_ledger.sql")
