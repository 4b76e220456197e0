"""What sellers and operators share when they cancel pieces of an order: the form, and its sums."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from souk.contexts.orders import api as orders
from souk.kernel.errors import NotFound
from souk.kernel.ids import parse_uuid
from souk.kernel.money import Money
from souk.web.desk import read_int, refusal

_CHOICES = 50
"""How many pieces of a line are offered with their sums; above that, a field takes the number."""
_SHORTEST, _LONGEST = 3, 500


def pieces_left(part: orders.SellerOrderView) -> dict[UUID, int]:
    """How many pieces of each line are still to be sent."""
    if part.state not in {"confirmed", "processing"}:
        return {}
    return {
        line.id: line.quantity - line.fulfilled - line.cancelled
        for line in part.lines
        if line.kind != "digital" and line.quantity > line.fulfilled + line.cancelled
    }


def seen_of(part: orders.SellerOrderView) -> int:
    """What a form has seen of a part: sent along, so that the same form cancels only once."""
    return sum(line.cancelled for line in part.lines)


def read_pieces(form: Mapping[str, str]) -> dict[UUID, int]:
    """Pieces to cancel by line, from the fields `units.<line>`. Raises InvalidInput, NotFound."""
    found: dict[UUID, int] = {}
    for name, text in form.items():
        if not name.startswith("units."):
            continue
        line_id = parse_uuid(name.removeprefix("units."))
        if line_id is None:
            raise NotFound("There is no such line. Reload the page.")
        units = read_int(text or "0", path=name, most=1_000_000)
        if units:
            found[line_id] = units
    if not found:
        raise refusal("units", "Choose at least one piece to cancel.")
    return found


def read_seen(form: Mapping[str, str]) -> int | None:
    """What the form has seen; None for one that does not say. Raises InvalidInput."""
    text = form.get("seen", "")
    return read_int(text, path="seen") if text else None


def read_reason(form: Mapping[str, str], message: str) -> str:
    """The sentence that others will read; `message` asks for it. Raises InvalidInput."""
    reason = form.get("reason", "")
    if not _SHORTEST <= len(reason) <= _LONGEST or "\x00" in reason:
        raise refusal("reason", message)
    return reason


def quote(part: orders.SellerOrderView, pieces: Mapping[UUID, int]) -> orders.GivenUp:
    """What cancelling these pieces gives back. Raises NothingToCancel past what is left."""
    left = pieces_left(part)
    if any(units > left.get(line_id, 0) for line_id, units in pieces.items()):
        raise orders.NothingToCancel
    return orders.quote(part.lines, pieces, delivery=part.delivery, delivery_tax=part.delivery_tax)


def worth(part: orders.SellerOrderView, left: Mapping[UUID, int]) -> dict[UUID, list[Money]]:
    """What goes back for none, one, two … of the next pieces of each line."""
    return {
        line.id: [
            Money(
                orders.of_pieces(line.total, pieces=line.cancelled + units, quantity=line.quantity)
                - orders.of_pieces(line.total, pieces=line.cancelled, quantity=line.quantity),
                part.currency,
            )
            for units in range(min(left[line.id], _CHOICES) + 1)
        ]
        for line in part.lines
        if line.id in left
    }
