"""0009 sandbox"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0009_sandbox"
down_revision = "0009_payments"


def upgrade() -> None:
    run_sql(op, "0009_sandbox.sql")
