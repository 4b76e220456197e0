"""0012 fulfilment"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0012_fulfilment"
down_revision = "0011_ledger"


def upgrade() -> None:
    run_sql(op, "0012_fulfilment.sql")
