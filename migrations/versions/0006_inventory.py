"""0006 inventory"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0006_inventory"
down_revision = "0005_listings_import"


def upgrade() -> None:
    run_sql(op, "0006_inventory.sql")
