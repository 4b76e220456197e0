"""0001 platform"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0001_platform"
down_revision = None


def upgrade() -> None:
    run_sql(op, "0001_platform.sql")
