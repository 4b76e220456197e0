"""0014 compliance"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0014_compliance"
down_revision = "0013_notifications"


def upgrade() -> None:
    run_sql(op, "0014_compliance.sql")
