"""What must always be true of fulfilment, for `souk verify`."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from souk.platform.database import ReadConn
from souk.platform.verify import Violation, broken

_CHECKS = {
    "fulfilment.no_download_after_end": """
SELECT g.id::text AS subject,
  format('A download began at %s, after %s.', s.started_at,
    CASE WHEN s.started_at >= g.expires_at THEN 'its end' ELSE 'it was revoked' END) AS detail
FROM fulfilment.download_session s JOIN fulfilment.download_grant g ON g.id = s.grant_id
WHERE s.started_at >= g.expires_at OR s.started_at > g.revoked_at""",
    "fulfilment.download_limit": """
SELECT id::text AS subject, format('%s downloads of %s', downloads, max_downloads) AS detail
FROM fulfilment.download_grant WHERE downloads NOT BETWEEN 0 AND max_downloads""",
    "fulfilment.licence_keys_of_their_line": """
SELECT k.id::text AS subject, 'The key belongs to another pool than its buyer''s line.' AS detail
FROM fulfilment.licence_key k
LEFT JOIN fulfilment.licence_claim c ON c.order_line_id = k.order_line_id
WHERE k.order_line_id IS NOT NULL
  AND (c.seller_id, c.variant_id) IS DISTINCT FROM (k.seller_id, k.variant_id)""",
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
    return await broken(conn, _CHECKS)


async def still_open(conn: ReadConn, order_line_ids: Sequence[UUID]) -> list[UUID]:
    """Those of these lines whose files or licence keys can still be had."""
    rows = await conn.fetch(
        "SELECT w.id FROM unnest($1::uuid[]) AS w (id) WHERE EXISTS (SELECT FROM"
        " fulfilment.download_grant g WHERE g.order_line_id = w.id AND g.revoked_at IS NULL"
        "   AND g.expires_at > $2)"
        " OR EXISTS (SELECT FROM fulfilment.licence_claim c WHERE c.order_line_id = w.id"
        "   AND c.revoked_at IS NULL)",
        list(order_line_ids),
        conn.clock.now(),
    )
    return [row["id"] for row in rows]
