"""0010 search"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0010_search"
down_revision = "0009_sandbox"


def upgrade() -> None:
    run_sql(op, "0010_search.sql")
