"""0005 listings import"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0005_listings_import"
down_revision = "0005_listings"


def upgrade() -> None:
    run_sql(op, "0005_listings_import.sql")
