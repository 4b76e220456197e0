"""0002 identity"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0002_identity"
down_revision = "0001_jobs"


def upgrade() -> None:
    run_sql(op, "0002_identity.sql")
