"""What the books call things, and what people call them: order numbers and names of shops."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from souk.contexts.ledger import api as ledger
from souk.contexts.orders import api as orders
from souk.contexts.payments import api as payments
from souk.contexts.sellers import api as sellers
from souk.kernel.ids import parse_uuid
from souk.platform.database import ReadConn

_OF_ORDERS = {"order", "checkout", "seller_order", "escrow"}


@dataclass(frozen=True, slots=True)
class Looked:
    """What a search stands for: causes, or the start of accounts; both empty for plain words."""

    causes: list[str]
    account: str = ""


async def look(conn: ReadConn, words: str) -> Looked:
    """The causes behind an order's number, a payment, a gateway's reference or a shop.

    At most four statements; none for what cannot be one of them.
    """
    plain = words.strip()
    if not plain:
        return Looked([])
    keys = await orders.desk.find_number(conn, plain)
    if keys is not None:
        parts = [f"seller_order:{part}" for part in keys.parts]
        return Looked([f"order:{keys.id}", f"checkout:{keys.checkout_id}", *parts])
    wanted = payments.desk.PaymentFilter(search=plain)
    found = await payments.desk.listed(conn, wanted, limit=5)
    if found.items:
        known = await orders.desk.for_payments(conn, [each.id for each in found.items])
        causes = {f"payment:{each.id}" for each in found.items}
        causes |= {f"checkout:{each.checkout_id}" for each in found.items}
        causes |= {f"order:{order.id}" for order in known.values()}
        return Looked(sorted(causes))
    one = parse_uuid(plain)
    shop = await sellers.desk.named(conn, plain) if one is None else one
    if shop is not None and shop in await sellers.cards(conn, [shop]):
        return Looked([], f"seller:{shop}:")
    return Looked([])


async def names_of(conn: ReadConn, codes: Iterable[str]) -> dict[str, dict[str, str]]:
    """Names and pages behind causes and codes such as `escrow:…` and `seller:…:available`.

    Two statements; what has no name is absent.
    """
    parts: dict[str, tuple[str, UUID, str]] = {}
    for code in codes:
        kind, _, rest = code.partition(":")
        text, _, bucket = rest.partition(":")
        found = parse_uuid(text)
        if found is not None:
            parts[code] = (kind, found, bucket)
    wanted = {found for kind, found, _ in parts.values() if kind in _OF_ORDERS}
    numbers = await orders.desk.numbers_of(conn, list(wanted))
    shops = await sellers.cards(conn, [one for kind, one, _ in parts.values() if kind == "seller"])
    named: dict[str, dict[str, str]] = {}
    for code, (kind, found, bucket) in parts.items():
        if kind == "seller" and found in shops:
            name = f"{shops[found].name}: {bucket}" if bucket else shops[found].name
            named[code] = {"name": name, "url": f"/admin/sellers/{found}"}
        elif kind in _OF_ORDERS and found in numbers:
            order = numbers[found]
            what = {"escrow": "escrow", "seller_order": "part of"}.get(kind, "order")
            named[code] = {"name": f"{what} {order.number}", "url": f"/admin/orders/{order.id}"}
    return named


def group_of(code: str) -> str:
    """The accounts of one kind together: `escrow:`, `seller: available`; single ones by code."""
    kind, _, rest = code.partition(":")
    text, _, bucket = rest.partition(":")
    if parse_uuid(text) is None:
        return code
    return f"{kind}: {bucket}" if bucket else f"{kind}:"


@dataclass(frozen=True, slots=True)
class Group:
    """Accounts of one kind in one currency, each column summed; minor units."""

    code: str
    kind: str
    currency: str
    count: int
    debit: int
    credit: int


def grouped(rows: Iterable[ledger.TrialRow]) -> list[Group]:
    """A trial balance by kinds of accounts, in the order of their codes."""
    found: dict[tuple[str, str], Group] = {}
    for row in rows:
        place = (group_of(row.code), row.currency)
        now = found.get(place, Group(place[0], row.kind, row.currency, 0, 0, 0))
        found[place] = Group(
            now.code,
            now.kind,
            now.currency,
            now.count + 1,
            now.debit + row.debit,
            now.credit + row.credit,
        )
    return [found[place] for place in sorted(found)]
