"""0008 orders"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0008_orders"
down_revision = "0007_carts"


def upgrade() -> None:
    run_sql(op, "0008_orders.sql")
