"""0001 jobs"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0001_jobs"
down_revision = "0001_platform"


def upgrade() -> None:
    run_sql(op, "0001_jobs.sql")
