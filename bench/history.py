"""Past orders: a few real purchases, multiplied inside the database.

Each copy of a purchase has its ids' time (RFC 9562) and its dates moved back by so many seconds,
all rows of one purchase alike, so that what belonged together still does. Goods, sellers and
accounts stay the same; balances take in what the copies posted.
"""

from __future__ import annotations

import asyncio
import time

import asyncpg

from bench import shopping, stand
from bench.load import drive, run
from bench.seed import Market
from souk.platform.settings import Settings

ORIGINALS = 200
_TABLES = (
    "orders.checkout", "orders.purchase", "orders.seller_order", "orders.line",
    "orders.transition", "payments.payment", "payments.transition", "payments.webhook_inbox",
    "ledger.entry", "ledger.posting", "inventory.movement", "platform.event", "sandbox.intent",
    "sandbox.event",
)  # fmt: skip
_SAME = {
    "variant_id", "listing_id", "seller_id", "buyer_id", "user_id", "account_id", "cart_id",
    "commission_rule_id",
}  # fmt: skip
_UNIQUE_TEXTS = {
    "orders.purchase": {"number", "email"},
    "payments.payment": {"gateway_ref"},
    "payments.webhook_inbox": {"event_id"},
    "ledger.entry": {"key", "cause"},
    "inventory.movement": {"reference"},
    "sandbox.intent": {"id", "client_secret", "reference"},
    "sandbox.event": {"id", "object_id"},
}
_MOVED = """
CREATE FUNCTION pg_temp.moved(id uuid, n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT (lpad(to_hex(('x' || substr(hex, 1, 12))::bit(48)::bigint - 1000::bigint * n), 12, '0')
          || substr(hex, 13))::uuid FROM (SELECT replace(id::text, '-', '') AS hex) AS h
$$
"""


def add_orders(settings: Settings, market: Market, count: int) -> int:
    """Fill in about `count` past orders; returns how many there are."""
    with stand.running(settings, worker=True):
        step = shopping.buying(market, with_cart=False, salt="past")
        run(drive(settings.port, step, seconds=600, first=time.time_ns() // 1_000, most=ORIGINALS))
        asyncio.run(_settled(settings.database_url))
    return asyncio.run(_multiply(settings.database_url, count))


async def _settled(url: str) -> None:
    """Wait until the worker has delivered every event and acted on every webhook."""
    raw = await asyncpg.connect(url)
    try:
        waiting = 0
        for _ in range(240):
            waiting = await raw.fetchval(
                "SELECT (SELECT count(*) FROM platform.delivery)"
                " + (SELECT count(*) FROM payments.webhook_inbox WHERE processed_at IS NULL)"
            )
            if not waiting:
                return
            await asyncio.sleep(0.5)
    finally:
        await raw.close()
    raise RuntimeError(f"the worker left {waiting} deliveries and webhooks behind")


async def _multiply(url: str, count: int) -> int:
    raw = await asyncpg.connect(url)
    try:
        orders: int = await raw.fetchval("SELECT count(*) FROM orders.purchase")
        copies = max(round(count / orders) - 1, 0)
        await raw.execute(_MOVED)
        # Copies need no second look by the triggers that watch what the program writes.
        await raw.execute("SET session_replication_role = replica")
        await raw.execute("SET synchronous_commit = off")
        for table in _TABLES:
            await raw.execute(await _copying(raw, table), copies, timeout=3_600)
        await raw.execute(
            # Postings to busy accounts count once the worker has folded them in.
            "UPDATE ledger.account a SET balance = p.balance FROM (SELECT p.account_id,"
            " sum(p.amount) FILTER (WHERE u.posting_id IS NULL) AS balance FROM ledger.posting p"
            " LEFT JOIN ledger.unfolded u ON u.posting_id = p.id GROUP BY p.account_id) AS p"
            " WHERE p.account_id = a.id AND p.balance IS NOT NULL",
            timeout=3_600,
        )
        await raw.execute("ANALYZE", timeout=3_600)
        return await raw.fetchval("SELECT count(*) FROM orders.purchase")
    finally:
        await raw.close()


async def _copying(raw: asyncpg.Connection[asyncpg.Record], table: str) -> str:
    """The statement that copies a table's rows $1 times, oldest copies first."""
    columns = await raw.fetch(
        "SELECT attname AS name, format_type(atttypid, NULL) AS type FROM pg_attribute"
        " WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped"
        " AND attidentity = '' AND attgenerated = ''",
        table,
    )
    names = ", ".join(f'"{column["name"]}"' for column in columns)
    values = ", ".join(_copied(table, column["name"], column["type"]) for column in columns)
    extra = " WHERE o.delta < 0" if table == "inventory.movement" else ""
    return (
        f"INSERT INTO {table} ({names}) SELECT {values}"
        f" FROM generate_series($1::integer, 1, -1) AS n, {table} AS o{extra}"
    )


def _copied(table: str, name: str, kind: str) -> str:
    """What a column holds in the copy number `n`."""
    column = f'o."{name}"'
    if kind == "uuid" and name not in _SAME:
        return f"pg_temp.moved({column}, n)"
    if kind == "timestamp with time zone":
        return f"{column} - n * interval '1 second'"
    if name in _UNIQUE_TEXTS.get(table, ()):
        return f"n || '~' || {column}"
    if name == "guest":
        return f"overlay({column} PLACING int4send(n) FROM 1)"
    return column
