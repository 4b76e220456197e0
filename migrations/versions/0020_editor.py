"""0020 editor"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0020_editor"
down_revision = "0019_stock_reports"


def upgrade() -> None:
    run_sql(op, "0020_editor.sql")
