"""What must always be true of fulfilment, for `souk verify`."""

from __future__ import annotations

from souk.platform.database import ReadConn
from souk.platform.verify import Violation

_CHECKS = {
    "fulfilment.no_download_after_end": """
SELECT g.id::text AS subject,
  format('A download began at %s, after %s.', s.started_at,
    CASE WHEN s.started_at >= g.expires_at THEN 'its end' ELSE 'it was revoked' END) AS detail
FROM fulfilment.download_session s JOIN fulfilment.download_grant g ON g.id = s.grant_id
WHERE s.started_at >= g.expires_at OR s.started_at > g.revoked_at""",
    "fulfilment.downloads_counted": """
SELECT g.id::text AS subject,
  format('%s downloads are counted and %s were begun.', g.downloads, count(s.id)) AS detail
FROM fulfilment.download_grant g LEFT JOIN fulfilment.download_session s ON s.grant_id = g.id
GROUP BY g.id HAVING g.downloads <> count(s.id)""",
    "fulfilment.licence_keys_counted": """
SELECT c.order_line_id::text AS subject,
  format('%s keys are counted and %s were given.', c.assigned, count(k.id)) AS detail
FROM fulfilment.licence_claim c
LEFT JOIN fulfilment.licence_key k ON k.order_line_id = c.order_line_id
GROUP BY c.order_line_id HAVING c.assigned <> count(k.id)""",
}


async def violations(conn: ReadConn) -> list[Violation]:
    """Rows of this context that break an invariant: no file leaves after a refund, a dispute or
    the end of a grant; counts are those of the rows they count."""
    found: list[Violation] = []
    for invariant, sql in _CHECKS.items():
        rows = await conn.fetch(sql)
        found.extend(Violation(invariant, row["subject"], row["detail"]) for row in rows)
    return found
