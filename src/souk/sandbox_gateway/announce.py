"""Which webhooks a change causes: rightly, or wrong in the way that was asked for."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from souk.sandbox_gateway import model, wire
from souk.sandbox_gateway.config import SandboxSettings
from souk.sandbox_gateway.store import DeliveryRow, EventRow

encode = msgspec.json.Encoder().encode
_REORDER = timedelta(seconds=1)
_FORGERY_LEAD = timedelta(milliseconds=300)


def announcements(
    change: model.Change, settings: SandboxSettings
) -> tuple[list[EventRow], list[DeliveryRow]]:
    """The events of a change, and when each is sent how often and how signed."""
    events: list[EventRow] = []
    deliveries: list[DeliveryRow] = []
    for fact in change.facts:
        subject = _subject(settings, change, fact)
        event = wire.EventWire(
            id=model.new_id("evt"),
            type=fact.type,
            created=wire.unix(fact.at),
            data={"object": subject},
        )
        events.append(EventRow(event.id, fact.type, subject.id, encode(event).decode(), fact.at))
        if settings.webhook_url:
            deliveries.extend(_deliveries(settings, event.id, fact, change.webhook))
    return events, deliveries


def _subject(
    settings: SandboxSettings, change: model.Change, fact: model.Fact
) -> wire.IntentWire | wire.RefundWire | wire.PayoutWire:
    if change.payout:
        return wire.payout_wire(change.payout, fact.at)
    if change.refund:
        return wire.refund_wire(change.refund)
    assert change.intent is not None
    intent = msgspec.structs.replace(change.intent)
    if fact.type == "payment_intent.processing":
        intent.status = "processing"
        intent.amount_captured = 0
    elif fact.type == "payment_intent.succeeded":
        model.settle(intent, fact.at)
    return wire.intent_wire(intent, settings.public_url)


def _deliveries(
    settings: SandboxSettings, event_id: str, fact: model.Fact, webhook: str
) -> list[DeliveryRow]:
    at = fact.at
    match webhook:
        case "missing":
            return []
        case "delayed":
            at += timedelta(seconds=settings.webhook_delay_seconds)
            return [DeliveryRow(event_id, "valid", at)]
        case "duplicated":
            return [DeliveryRow(event_id, "valid", at)] * 3
        case "reordered" if fact.type == "payment_intent.processing":
            return [DeliveryRow(event_id, "valid", at + _REORDER)]
        case "forged" | "stale":
            return [
                DeliveryRow(event_id, webhook, at),
                DeliveryRow(event_id, "valid", at + _FORGERY_LEAD),
            ]
        case _:
            return [DeliveryRow(event_id, "valid", at)]
