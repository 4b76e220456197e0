"""0004 sellers"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0004_sellers"
down_revision = "0003_catalog"


def upgrade() -> None:
    run_sql(op, "0004_sellers.sql")
