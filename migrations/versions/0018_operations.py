"""0018 operations"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0018_operations"
down_revision = "0017_preferences"


def upgrade() -> None:
    run_sql(op, "0018_operations.sql")
