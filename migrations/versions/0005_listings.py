"""0005 listings"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0005_listings"
down_revision = "0004_sellers"


def upgrade() -> None:
    run_sql(op, "0005_listings.sql")
