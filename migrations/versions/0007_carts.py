"""0007 carts"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0007_carts"
down_revision = "0006_inventory"


def upgrade() -> None:
    run_sql(op, "0007_carts.sql")
