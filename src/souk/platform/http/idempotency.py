"""`Idempotency-Key`: one effect for a request that is sent several times.

The answer is kept for 24 hours with a hash of the request, per caller. Same key and request → the
stored answer; same key, other request → 422; still running → 409 with Retry-After. A run that died
frees its key after a minute: the work behind it is idempotent on its own natural key as well.
A run that was only slow comes back to find its claim gone: each claim has a moment of its own, and
what a run stores or forgets is the claim of that moment alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any

import structlog
from litestar import Request
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from souk.kernel.errors import DomainError, ErrorKind
from souk.kernel.ids import fingerprint
from souk.platform.database import Busy, Database, DatabaseUnavailable, WriteTx
from souk.platform.http import limits
from souk.platform.http.access import actor_of
from souk.platform.http.holder import GUEST_HEADER, guest_token_of

log = structlog.get_logger()
_STALE = timedelta(minutes=1)
_KEEP = timedelta(hours=24)
_TOKEN = GUEST_HEADER.encode()
REPLAYED = b"idempotency-replayed"


class KeyReused(DomainError):
    """The key belongs to a different request."""

    code = "idempotency_key_reused"
    kind = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request. Send a new key.")


class KeyBad(DomainError):
    """The key is not 1 to 255 printable ASCII characters."""

    code = "idempotency_key_bad"
    kind = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__("Send an Idempotency-Key of 1 to 255 printable ASCII characters.")


class StillRunning(DomainError):
    """The first request with this key has not finished."""

    code = "idempotency_still_running"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__(
            "The first request with this Idempotency-Key is still running. Ask again in a moment.",
            retry_after=1,
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """The right of one run to answer for a key. A later claim of the key has a later `made_at`."""

    caller: str
    key: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer as it is kept."""

    status: int
    content_type: str
    body: bytes


class Idempotency:
    """ASGI middleware put on the routes that declare `idempotent=True`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        key = request.headers.get("idempotency-key")
        if key is None:
            await self._app(scope, receive, send)
            return
        if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
            raise KeyBad
        # Before anything is kept of it: who may not call, or calls too often, leaves no row behind.
        await limits.admit(request)
        body = await request.body()
        digest = sha256(
            b"\n".join([request.method.encode(), scope["raw_path"], scope["query_string"], body])
        ).digest()
        db: Database = request.app.state["db"]
        caller = await self._caller(request)
        claim = await db.transact(lambda tx: _claim(tx, caller, key, digest))
        if isinstance(claim, Stored):
            await _send(send, claim)
            return
        await self._run(scope, receive, send, db=db, claim=claim)

    async def _run(
        self, scope: Scope, receive: Receive, send: Send, *, db: Database, claim: Claim
    ) -> None:
        status, content_type, parts = 0, "", list[bytes]()
        secret = False
        held: list[Message] = []

        async def listen(message: Message) -> None:
            nonlocal status, content_type, secret
            held.append(message)
            if message["type"] == "http.response.start":
                status = message["status"]
                # An answer with a token in it cannot be given again, and means nothing without it.
                secret = any(k.lower() == _TOKEN for k, _ in message["headers"])
                content_type = next(
                    (v.decode() for k, v in message["headers"] if k == b"content-type"), ""
                )
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if message.get("more_body"):
                    return
                # Kept before it is sent: an answer that was seen is not computed again.
                answer = Stored(status, content_type, b"".join(parts))
                await self._settle(db, claim, answer, secret=secret)
                for each in held:
                    await send(each)

        try:
            await self._app(scope, receive, listen)
        except Exception:
            await self._settle(db, claim, None)
            raise

    async def _settle(
        self, db: Database, claim: Claim, answer: Stored | None, *, secret: bool = False
    ) -> None:
        """Keep the answer with its key, or free the key. What was answered is told in any case:
        when the database is out of reach the key frees itself, as that of a run that died."""
        # A failure on our side or a refusal that waiting can cure is not the final answer.
        if answer and not secret and answer.status < 500 and answer.status not in {409, 429}:
            end = partial(_store, claim=claim, answer=answer)
        else:
            end = partial(_forget, claim=claim)
        try:
            await db.transact(end)
        except (Busy, DatabaseUnavailable):
            log.warning("idempotency_key_not_settled", status=answer.status if answer else None)

    async def _caller(self, request: Request[Any, Any, Any]) -> str:
        actor = await actor_of(request)
        if actor.user_id is not None:
            return f"user:{actor.user_id}"
        guest = guest_token_of(request)
        return f"guest:{fingerprint(guest).hex()}" if guest else f"ip:{actor.ip}"


async def _claim(tx: WriteTx, caller: str, key: str, digest: bytes) -> Claim | Stored:
    now = tx.clock.now()
    claimed = await tx.fetchval(
        "INSERT INTO platform.idempotency AS i (caller, key, request_hash, created_at)"
        " VALUES ($1, $2, $3, $4) ON CONFLICT (caller, key) DO UPDATE"
        " SET request_hash = excluded.request_hash, created_at = excluded.created_at,"
        " status = NULL, content_type = NULL, body = NULL"
        " WHERE (i.status IS NULL AND i.created_at < $5) OR i.created_at < $6 RETURNING true",
        caller,
        key,
        digest,
        now,
        now - _STALE,
        now - _KEEP,
    )
    if claimed:
        return Claim(caller, key, now)
    row = await tx.fetchrow(
        "SELECT request_hash, status, content_type, body FROM platform.idempotency"
        " WHERE caller = $1 AND key = $2",
        caller,
        key,
    )
    if row is None or row["status"] is None:
        raise StillRunning
    if row["request_hash"] != digest:
        raise KeyReused
    return Stored(row["status"], row["content_type"], row["body"])


async def _store(tx: WriteTx, claim: Claim, answer: Stored) -> None:
    await tx.execute(
        "UPDATE platform.idempotency SET status = $4, content_type = $5, body = $6"
        " WHERE caller = $1 AND key = $2 AND created_at = $3",
        claim.caller,
        claim.key,
        claim.made_at,
        answer.status,
        answer.content_type,
        answer.body,
    )


async def _forget(tx: WriteTx, claim: Claim) -> None:
    await tx.execute(
        "DELETE FROM platform.idempotency WHERE caller = $1 AND key = $2 AND created_at = $3",
        claim.caller,
        claim.key,
        claim.made_at,
    )


async def forget_old(tx: WriteTx) -> None:
    """Drop keys older than a day; run by a schedule."""
    await tx.execute(
        "DELETE FROM platform.idempotency WHERE created_at < $1", tx.clock.now() - _KEEP
    )


async def _send(send: Send, answer: Stored) -> None:
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
        (REPLAYED, b"true"),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
