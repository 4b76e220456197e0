"""0009 payments"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0009_payments"
down_revision = "0008_orders"


def upgrade() -> None:
    run_sql(op, "0009_payments.sql")
