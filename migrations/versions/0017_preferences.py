"""0017 preferences"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0017_preferences"
down_revision = "0016_lists"


def upgrade() -> None:
    run_sql(op, "0017_preferences.sql")
