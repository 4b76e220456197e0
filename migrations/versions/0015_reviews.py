"""0015 reviews"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0015_reviews"
down_revision = "0014_compliance"


def upgrade() -> None:
    run_sql(op, "0015_reviews.sql")
