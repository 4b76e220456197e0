"""0013 notifications"""

from alembic import op

from souk.platform.migrate import run_sql

revision = "0013_notifications"
down_revision = "0012_fulfilment"


def upgrade() -> None:
    run_sql(op, "0013_notifications.sql")
