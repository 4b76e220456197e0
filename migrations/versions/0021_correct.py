"""0021 correct"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0021_correct"
down_revision = "0020_editor"


def upgrade() -> None:
    run_sql(op, "0021_correct.sql")
