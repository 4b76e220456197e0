"""A seller's part of an order as its page shows it: steps, parcels, what the buyer can do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.orders import api as orders
from souk.contexts.sellers import api as sellers

_TONES = {
    "confirmed": "good",
    "processing": "info",
    "shipped": "info",
    "delivered": "good",
    "completed": "good",
    "cancelled": "calm",
    "return_requested": "warn",
    "returned": "calm",
}
_SAID = {"confirmed"}
"""States whose reason says in the words of the books what the state says in the buyer's."""
_ENDED = {"completed", "cancelled", "returned"}


def part_view(
    part: orders.SellerOrderView,
    *,
    shop: sellers.SellerCard | None,
    parcels: Sequence[fulfilment.ShipmentView],
    links: Sequence[fulfilment.DownloadLink],
    now: datetime,
    return_days: int,
) -> dict[str, Any]:
    """For the template; `may` names the acts that are open to the buyer."""
    may: set[str] = set()
    if part.state in {"pending", "confirmed", "processing"} and not any(
        line.fulfilled for line in part.lines
    ):
        may.add("cancel")
    if part.state in {"shipped", "delivered"}:
        may.add("confirm")
    delivered = part.delivered_at
    window = timedelta(days=return_days)
    if part.state == "delivered" and delivered and now <= delivered + window:
        may.add("return")
    expected = next((p.estimate_to for p in reversed(parcels) if not p.delivered_at), None)
    if not parcels and part.delivery_days and part.state in {"confirmed", "processing"}:
        sent = orders.ship_by(part.placed_at).date()
        expected = fulfilment.working_days_after(sent, part.delivery_days)
    return {
        "part": part,
        "shop": shop,
        "parcels": parcels,
        "links": links,
        "may": may,
        "return_until": delivered + window if "return" in may and delivered else None,
        "steps": _steps(part),
        "preparing": part.state not in _ENDED
        and any(line.kind == "digital" and not line.fulfilled for line in part.lines),
        "expected": expected if part.state not in _ENDED | {"delivered"} else None,
    }


def _steps(part: orders.SellerOrderView) -> list[dict[str, Any]]:
    """Newest last; the words for a state are the template's."""
    return [
        {
            "when": step.at,
            "state": step.state if step.state != step.previous else "changed",
            "tone": _TONES.get(step.state, "calm") if step.state != step.previous else "calm",
            "text": "" if step.state in _SAID and step.state != step.previous else step.reason,
        }
        for step in part.timeline
    ]
