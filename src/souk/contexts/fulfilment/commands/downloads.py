"""Digital delivery: granting, downloading, revoking; licence keys."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from souk.contexts.fulfilment.commands.methods import seller_of
from souk.contexts.fulfilment.domain.downloads import (
    ByteRange,
    DigitalLine,
    Grant,
    check_allowance,
    open_link,
    parse_range,
    resumes,
)
from souk.contexts.fulfilment.errors import LinkNotValid
from souk.contexts.fulfilment.store import downloads as store
from souk.contexts.fulfilment.store import licences
from souk.kernel.actor import Actor, system
from souk.kernel.errors import FieldProblem, InvalidInput
from souk.platform import audit, outbox
from souk.platform.database import WriteTx
from souk.published.fulfilment import DownloadsGranted, DownloadTaken

Reason = Literal["refund", "dispute"]
_MAX_KEY = 500
_SWEEP = system("fulfilment.serve_waiting_lines")


class Granted(msgspec.Struct, frozen=True):
    """The order lines that were given something now, and how many licence keys each still lacks."""

    order_line_ids: list[UUID]
    lacking: dict[UUID, int]


async def grant_digital(
    tx: WriteTx,
    actor: Actor,
    *,
    lines: list[DigitalLine],
    buyer_id: UUID | None,
    buyer_email: str,
) -> Granted:
    """Give the buyer the files and licence keys of these lines. Repeatable: each is given once."""
    with_files = await store.insert_grants(tx, lines, buyer_id=buyer_id, buyer_email=buyer_email)
    claimed = await licences.claim(tx, lines)
    lacking: dict[UUID, int] = {}
    for line_id in sorted(claimed):
        assigned = await licences.assign(tx, line_id)
        lacking[line_id] = assigned.lacking if assigned else 0
    fresh = {*with_files, *claimed}
    by_order: dict[tuple[UUID, UUID], list[UUID]] = {}
    for line in lines:
        if line.order_line_id in fresh:
            key = (line.seller_order_id, line.seller_id)
            by_order.setdefault(key, []).append(line.order_line_id)
    for (seller_order_id, seller_id), line_ids in by_order.items():
        event = DownloadsGranted(
            seller_order_id=seller_order_id,
            seller_id=seller_id,
            order_line_ids=line_ids,
            keys_missing=sum(lacking.get(line_id, 0) for line_id in line_ids),
        )
        outbox.add(tx, event, actor=actor)
    return Granted(sorted(fresh), {line_id: count for line_id, count in lacking.items() if count})


class Begun(msgspec.Struct, frozen=True):
    """What to send: all of the file when `part` is None."""

    grant: Grant
    part: ByteRange | None


async def begin_download(
    tx: WriteTx,
    actor: Actor,
    *,
    token: str,
    secret: str,
    range_header: str | None = None,
    if_range: str | None = None,
) -> Begun:
    """Count the download that a request begins, or let it go on with one that was counted.

    `range_header` counts only when `if_range` is absent or names the file's tag (RFC 9110, 13.1.5).
    Raises LinkNotValid, DownloadRevoked, Unsatisfiable, DownloadsUsedUp, DownloadTooOften.
    """
    now = tx.clock.now()
    link = open_link(token, secret=secret, now=now)
    grant = await store.load_for_update(tx, link.grant_id)
    if grant is None:
        raise LinkNotValid
    grant.check_open(now)
    whole = if_range is not None and if_range.strip() != grant.etag
    part = None if whole else parse_range(range_header, size=grant.size)
    if part is not None and part.start:
        session = await store.last_session(tx, grant.id, link=link.nonce)
        if session is not None and resumes(session, part, size=grant.size, now=now):
            await store.resume_session(tx, session.id, length=part.length)
            return Begun(grant, part)
    await store.lock_buyer(tx, grant.buyer())
    recent = await store.recent_starts(tx, grant.buyer())
    check_allowance(grant, recent=recent, now=now)
    await store.start_session(tx, grant, link=link.nonce, ip=actor.ip)
    if not grant.downloads:
        event = DownloadTaken(
            seller_order_id=grant.seller_order_id,
            order_line_id=grant.order_line_id,
            grant_id=grant.id,
        )
        outbox.add(tx, event, actor=actor)
    return Begun(grant, part)


async def revoke_digital(
    tx: WriteTx, actor: Actor, *, order_line_ids: list[UUID], reason: Reason
) -> None:
    """No link to these lines' files works from now on, and their keys are hidden. Repeatable."""
    await store.revoke(tx, order_line_ids, reason=reason)
    for line_id in order_line_ids:
        await audit.record(
            tx, actor, "fulfilment.digital_revoked", f"order_line:{line_id}", reason=reason
        )


async def add_licence_keys(tx: WriteTx, actor: Actor, *, variant_id: UUID, keys: list[str]) -> int:
    """Fill the pool of one of the actor's variants and serve who waits; answers how many were new.

    Raises InvalidInput.
    """
    seller_id = seller_of(actor)
    contents = list(dict.fromkeys(key.strip() for key in keys if key.strip()))
    if not contents or any(len(key) > _MAX_KEY or "\x00" in key for key in contents):
        text = f"Give at least one key, each of {_MAX_KEY} characters at most."
        problem = FieldProblem("keys", "invalid", text)
        raise InvalidInput("These licence keys cannot be stored.", problems=[problem])
    added = await licences.add_keys(
        tx, seller_id=seller_id, variant_id=variant_id, contents=contents
    )
    for line_id in await licences.waiting(tx, seller_id=seller_id, variant_id=variant_id):
        await _serve(tx, actor, line_id)
    await audit.record(
        tx, actor, "fulfilment.licence_keys_added", f"variant:{variant_id}", count=added
    )
    return added


async def serve_waiting_lines(tx: WriteTx) -> int:
    """Give free keys to lines that wait for some; answers how many lines were looked at."""
    lines = await licences.lines_that_can_be_served(tx, limit=500)
    for line_id in lines:
        await _serve(tx, _SWEEP, line_id)
    return len(lines)


async def _serve(tx: WriteTx, actor: Actor, order_line_id: UUID) -> None:
    assigned = await licences.assign(tx, order_line_id)
    if assigned is not None and not assigned.lacking:
        event = DownloadsGranted(
            seller_order_id=assigned.seller_order_id,
            seller_id=assigned.seller_id,
            order_line_ids=[order_line_id],
            keys_missing=0,
        )
        outbox.add(tx, event, actor=actor)


async def remove_unused_keys(tx: WriteTx, actor: Actor, *, variant_id: UUID) -> int:
    """Take the keys that nobody was given out of the pool; answers how many."""
    seller_id = seller_of(actor)
    count = await licences.remove_unused(tx, seller_id=seller_id, variant_id=variant_id)
    await audit.record(
        tx, actor, "fulfilment.licence_keys_removed", f"variant:{variant_id}", count=count
    )
    return count
