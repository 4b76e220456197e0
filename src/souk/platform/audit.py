"""The audit log: every sign-in attempt, act on money and act of an operator; tamper-evident.

Rows are appended by the transaction that acts, without a lock. A schedule seals them in batches:
each sealed row's hash covers its content and the hash before it, so that a changed or removed row
breaks every later link. `verify_chain` finds the first broken one.

Addresses are kept for a while only. What is sealed is therefore a proof of the address, SHA-256 of
a random salt and the address: while both are there it shows that the address is the one that was
recorded, and when both are forgotten it says nothing, for without the salt no guess can be tried.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime
from uuid import UUID

import msgspec

from souk.kernel.actor import Actor
from souk.kernel.ids import uuid7
from souk.platform.database import ReadConn, Record, WriteTx

_GENESIS = bytes(32)
_LOCK = 7_301
_SALT = 16


class AuditRow(msgspec.Struct, frozen=True):
    """`action` is a stable verb such as `identity.login_failed`; `subject` what it was about."""

    id: UUID
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, object]
    ip: str | None
    sealed: bool


async def record(tx: WriteTx, actor: Actor, action: str, subject: str, **detail: object) -> None:
    """Append one row. `detail` holds JSON primitives and never a secret."""
    salt = secrets.token_bytes(_SALT) if actor.ip else None
    await tx.execute(
        "INSERT INTO platform.audit (id, at, actor, action, subject, detail, ip, ip_salt, ip_proof)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        uuid7(),
        tx.clock.now(),
        actor.label(),
        action,
        subject,
        detail,
        actor.ip,
        salt,
        _proof(salt, actor.ip) if salt and actor.ip else None,
    )


def _proof(salt: bytes, ip: str) -> bytes:
    return hashlib.sha256(salt + ip.encode()).digest()


def _address_is_whole(row: Record) -> bool:
    """Whether the address is the recorded one, or is forgotten together with its salt."""
    ip, salt, proof = row["ip"], row["ip_salt"], row["ip_proof"]
    if proof is None:
        return salt is None
    if ip is None or salt is None:
        return ip is None and salt is None
    return hmac.compare_digest(_proof(salt, ip), proof)


def _digest(previous: bytes, row: Record) -> bytes:
    """Rows from before there were proofs are sealed with the address itself."""
    proof = row["ip_proof"]
    content = msgspec.json.encode(
        [
            str(row["id"]),
            row["at"].isoformat(),
            row["actor"],
            row["action"],
            row["subject"],
            row["detail"],
            row["ip"] if proof is None else proof.hex(),
        ],
        order="deterministic",
    )
    return hashlib.sha256(previous + content).digest()


async def seal(tx: WriteTx, *, limit: int = 5_000) -> int:
    """Chain the unsealed rows, oldest first; returns how many. One sealer works at a time."""
    await tx.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
    last = await tx.fetchrow("SELECT seq, hash FROM platform.audit_seal ORDER BY seq DESC LIMIT 1")
    seq, previous = (last["seq"], last["hash"]) if last else (0, _GENESIS)
    rows = await tx.fetch(
        "SELECT a.* FROM platform.audit a WHERE NOT EXISTS"
        " (SELECT FROM platform.audit_seal s WHERE s.audit_id = a.id) ORDER BY a.id LIMIT $1",
        limit,
    )
    seals: list[tuple[int, UUID, bytes]] = []
    for row in rows:
        seq += 1
        previous = _digest(previous, row)
        seals.append((seq, row["id"], previous))
    await tx.executemany(
        "INSERT INTO platform.audit_seal (seq, audit_id, hash) VALUES ($1, $2, $3)", seals
    )
    return len(seals)


async def verify_chain(conn: ReadConn, *, batch: int = 10_000) -> int | None:
    """The sequence number of the first seal that does not match its row, None if all do."""
    previous, after = _GENESIS, 0
    while True:
        rows = await conn.fetch(
            "SELECT s.seq, s.hash, a.* FROM platform.audit_seal s"
            " LEFT JOIN platform.audit a ON a.id = s.audit_id"
            " WHERE s.seq > $1 ORDER BY s.seq LIMIT $2",
            after,
            batch,
        )
        if not rows:
            return None
        for row in rows:
            if row["seq"] != after + 1 or row["id"] is None:
                return after + 1
            previous = _digest(previous, row)
            if previous != row["hash"] or not _address_is_whole(row):
                return row["seq"]
            after = row["seq"]


async def forget_addresses(tx: WriteTx, before: datetime, limit: int) -> int:
    """Forget addresses from before; returns how many. Those that are sealed themselves, in rows
    from before there were proofs, stay: see decision 11."""
    tag = await tx.execute(
        "UPDATE platform.audit SET ip = NULL, ip_salt = NULL WHERE id IN (SELECT id"
        " FROM platform.audit WHERE ip_salt IS NOT NULL AND at < $1 ORDER BY at LIMIT $2)",
        before,
        limit,
    )
    return int(tag.rsplit(" ", 1)[1])


class ChainState(msgspec.Struct, frozen=True):
    """How many rows are sealed, how many still wait for it, and the first broken seal, if any."""

    sealed: int
    waiting: int
    broken_at: int | None


async def check(conn: ReadConn) -> ChainState:
    """Compute the whole chain again."""
    row = await conn.fetchrow(
        "SELECT (SELECT count(*) FROM platform.audit) AS rows,"
        " (SELECT count(*) FROM platform.audit_seal) AS sealed"
    )
    assert row is not None
    broken = await verify_chain(conn)
    return ChainState(row["sealed"], max(row["rows"] - row["sealed"], 0), broken)


async def recent(
    conn: ReadConn,
    *,
    action_prefix: str = "",
    subject: str | None = None,
    actor: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[AuditRow]:
    """Rows newest first, by the start of the action, by subject, by actor's label and by time."""
    rows = await conn.fetch(
        "SELECT a.id, a.at, a.actor, a.action, a.subject, a.detail, a.ip,"
        " EXISTS (SELECT FROM platform.audit_seal s WHERE s.audit_id = a.id) AS sealed"
        " FROM platform.audit a WHERE starts_with(a.action, $1)"
        " AND ($2::text IS NULL OR a.subject = $2) AND ($3::uuid IS NULL OR a.id < $3)"
        " AND ($5::text IS NULL OR a.actor = $5) AND ($6::timestamptz IS NULL OR a.at >= $6)"
        " AND ($7::timestamptz IS NULL OR a.at <= $7) ORDER BY a.id DESC LIMIT $4",
        action_prefix,
        subject,
        before,
        limit,
        actor,
        since,
        until,
    )
    return [AuditRow(*row.values()) for row in rows]
