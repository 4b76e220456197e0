"""0016 lists"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0016_lists"
down_revision = "0015_reviews"


def upgrade() -> None:
    run_sql(op, "0016_lists.sql")
