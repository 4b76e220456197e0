"""0003 catalog"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0003_catalog"
down_revision = "0002_identity"


def upgrade() -> None:
    run_sql(op, "0003_catalog.sql")
