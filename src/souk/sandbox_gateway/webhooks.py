"""Delivers events to the merchant, signed, until they are accepted.

The signature is Stripe's scheme: `Sandbox-Signature: t=<unix>,v1=<hex>` where the hex is
HMAC-SHA256 of `<t>.<body>` under the endpoint's secret.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from datetime import datetime, timedelta

import structlog

from souk.platform.database import Database, Record, WriteTx
from souk.platform.http.client import HttpClient, Unanswered
from souk.sandbox_gateway import store
from souk.sandbox_gateway.config import SandboxSettings

log = structlog.get_logger()
SIGNATURE_HEADER = "Sandbox-Signature"
MAX_ATTEMPTS = 16
_BATCH = 32
_LEASE = timedelta(seconds=15)
_LONGEST_PAUSE = timedelta(minutes=10)
_TIMEOUT = 10.0
_IDLE_SECONDS = 0.25
# What happens within this time of the first is delivered together: two statements for all of it.
# By then most merchants have applied the answer, and the event tells them nothing new.
_GATHER_SECONDS = 0.1
_STALE_BY = timedelta(hours=1)
_KEPT = timedelta(hours=24)


def sign(secret: str, payload: bytes, at: datetime) -> str:
    """The signature header's value for `payload` sent at `at`."""
    stamp = int(at.timestamp())
    digest = hmac.new(secret.encode(), b"%d." % stamp + payload, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


class Dispatcher:
    """Posts due deliveries; several may run, since each delivery is claimed with a lease."""

    def __init__(self, db: Database, settings: SandboxSettings, wake: asyncio.Event) -> None:
        self._db = db
        self._settings = settings
        self._wake = wake
        self._purge_at = db.clock.now()

    async def run(self) -> None:
        """Deliver until cancelled."""
        client = HttpClient(self._settings.webhook_url, timeout=_TIMEOUT, most=_BATCH)
        try:
            while True:
                try:
                    sent = await self._round(client)
                except Exception:
                    log.exception("sandbox_webhook_round_failed")
                    sent = 0
                if not sent:
                    await self._pause()
        finally:
            await client.close()

    async def _pause(self) -> None:
        self._wake.clear()
        try:
            await asyncio.wait_for(self._wake.wait(), timeout=_IDLE_SECONDS)
        except TimeoutError:
            return
        await asyncio.sleep(_GATHER_SECONDS)

    async def _round(self, client: HttpClient) -> int:
        now = self._db.clock.now()
        if now >= self._purge_at:
            self._purge_at = now + timedelta(hours=1)
            await self._db.transact(lambda tx: store.purge(tx, before=now - _KEPT))
        due = await self._db.transact(_claim, alone=True)
        if not due:
            return 0
        answers = await asyncio.gather(*(self._post(client, row) for row in due))
        await self._db.transact(lambda tx: self._note(tx, due, answers), alone=True)
        return len(due)

    async def _post(self, client: HttpClient, row: Record) -> int:
        """The HTTP status of the answer, 0 when none came."""
        payload = row["payload"].encode()
        now = self._db.clock.now()
        secret = self._settings.webhook_secret
        if row["signing"] == "forged":
            secret = "not the secret"  # noqa: S105 - this is what makes it a forgery
        elif row["signing"] == "stale":
            now -= _STALE_BY
        try:
            response = await client.ask(
                "POST",
                "",
                content=payload,
                headers={
                    "content-type": "application/json",
                    SIGNATURE_HEADER: sign(secret, payload, now),
                },
            )
        except Unanswered as error:
            log.info("sandbox_webhook_unanswered", event_id=row["event_id"], error=repr(error))
            return 0
        return response.status

    async def _note(self, tx: WriteTx, due: list[Record], answers: list[int]) -> None:
        now = tx.clock.now()
        ids: list[int] = []
        still_open: list[bool] = []
        next_at: list[datetime] = []
        for row, answer in zip(due, answers, strict=True):
            # A forgery is refused for good; trying it again would prove nothing.
            again = (
                not 200 <= answer < 300
                and row["signing"] == "valid"
                and row["attempts"] < MAX_ATTEMPTS
            )
            pause = timedelta(seconds=self._settings.first_retry_seconds) * 2 ** (
                row["attempts"] - 1
            )
            ids.append(row["id"])
            still_open.append(again)
            next_at.append(now + min(pause, _LONGEST_PAUSE))
        await tx.execute(
            "UPDATE sandbox.webhook_delivery d SET open = n.open, next_at = n.next_at,"
            " answer = n.answer FROM unnest($1::bigint[], $2::boolean[], $3::timestamptz[],"
            " $4::integer[]) AS n (id, open, next_at, answer) WHERE d.id = n.id"
            " RETURNING set_config('synchronous_commit', 'off', true)",
            ids,
            still_open,
            next_at,
            answers,
        )


# A crash may lose the last claims and answers: those events are then delivered once more, as every
# receiver has to expect. It is not worth a wait for the disk: `synchronous_commit` is off here.
async def _claim(tx: WriteTx) -> list[Record]:
    now = tx.clock.now()
    return await tx.fetch(
        "WITH due AS (SELECT id FROM sandbox.webhook_delivery WHERE open AND next_at <= $1"
        "  ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED)"
        " UPDATE sandbox.webhook_delivery d SET next_at = $3, attempts = d.attempts + 1"
        " FROM due, sandbox.event e WHERE d.id = due.id AND e.id = d.event_id"
        " RETURNING d.id, d.event_id, d.signing, d.attempts, e.payload,"
        " set_config('synchronous_commit', 'off', true)",
        now,
        _BATCH,
        now + _LEASE,
    )
