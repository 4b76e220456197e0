"""Totals, states and quantities of orders: pure.

Totals follow one rule: everything is computed per line in minor units, and every larger figure is
a sum of smaller ones, so that lines add up to seller orders and seller orders to the order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from souk.contexts.orders.errors import (
    CancelTooLate,
    CheckoutClosed,
    LineNotFound,
    QuantityNotLeft,
    ReturnWindowOver,
)
from souk.kernel.errors import IllegalTransition
from souk.kernel.money import Money, allocate

RETURN_WINDOW = timedelta(days=7)
ARRIVES_WITHIN = timedelta(days=21)
"""After so long without a word a parcel counts as delivered."""
CHECKOUT_LIFE = timedelta(hours=2)
RESERVATION_LIFE = timedelta(minutes=20)
LOSABLE = frozenset({"orders.checkout"})
"""What opening a checkout writes: it may be lost when the database server crashes, as long as
nothing was reserved or paid for it."""


class CheckoutState(StrEnum):
    """Where a checkout stands."""

    OPEN = "open"
    AWAITING_PAYMENT = "awaiting_payment"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class SellerOrderState(StrEnum):
    """Where one seller's part of an order stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    RETURN_REQUESTED = "return_requested"
    RETURNED = "returned"


S = SellerOrderState
TRANSITIONS: Mapping[SellerOrderState, frozenset[SellerOrderState]] = {
    S.PENDING: frozenset({S.CONFIRMED, S.CANCELLED}),
    # A seller order of downloads alone has nothing to pack or ship.
    S.CONFIRMED: frozenset({S.PROCESSING, S.DELIVERED, S.CANCELLED}),
    # Delivered at once when all that was to be sent is cancelled and downloads alone are left.
    S.PROCESSING: frozenset({S.SHIPPED, S.DELIVERED, S.CANCELLED}),
    S.SHIPPED: frozenset({S.DELIVERED}),
    S.DELIVERED: frozenset({S.COMPLETED, S.RETURN_REQUESTED}),
    # A return that the seller refuses, or that the buyer takes back, leaves the order delivered.
    S.RETURN_REQUESTED: frozenset({S.RETURNED, S.DELIVERED}),
    S.COMPLETED: frozenset(),
    S.CANCELLED: frozenset(),
    S.RETURNED: frozenset(),
}
_CHECKOUT: Mapping[CheckoutState, frozenset[CheckoutState]] = {
    CheckoutState.OPEN: frozenset(
        {
            CheckoutState.AWAITING_PAYMENT,
            # An attempt that was declined, and has freed the checkout, may still be captured.
            CheckoutState.COMPLETED,
            CheckoutState.EXPIRED,
            CheckoutState.CANCELLED,
        }
    ),
    CheckoutState.AWAITING_PAYMENT: frozenset(
        {
            CheckoutState.OPEN,
            CheckoutState.COMPLETED,
            CheckoutState.EXPIRED,
            CheckoutState.CANCELLED,
        }
    ),
    CheckoutState.COMPLETED: frozenset(),
    # Money can arrive after the end; it is then matched with fresh stock or sent back.
    CheckoutState.EXPIRED: frozenset({CheckoutState.COMPLETED, CheckoutState.CANCELLED}),
    CheckoutState.CANCELLED: frozenset(),
}


class CheckoutLine(msgspec.Struct, frozen=True):
    """What is being bought, with everything that must not change afterwards copied in."""

    variant_id: UUID
    listing_id: UUID
    seller_id: UUID
    kind: str
    title: str
    variant_title: str
    sku: str
    unit_price: int
    quantity: int
    weight_g: int
    slug: str
    image_key: str | None = None
    category_ids: list[UUID] = msgspec.field(default_factory=list[UUID])
    file_ids: list[UUID] = msgspec.field(default_factory=list[UUID])

    @property
    def subtotal(self) -> int:
        return self.unit_price * self.quantity

    @property
    def ships(self) -> bool:
        return self.kind != "digital"


class DeliveryChoice(msgspec.Struct, frozen=True):
    """How one seller's parcel travels, and what that costs in minor units."""

    seller_id: UUID
    method_id: UUID | None
    label: str
    amount: int
    kind: str = "shipping"
    min_days: int = 0
    max_days: int = 0


class LineTotals(msgspec.Struct, frozen=True):
    """Minor units. `total` = subtotal − discount + tax."""

    subtotal: int
    discount: int
    tax: int
    total: int


class Totals(msgspec.Struct, frozen=True):
    """Minor units. `total` = items − discount + delivery + tax."""

    items: int = 0
    discount: int = 0
    delivery: int = 0
    tax: int = 0
    total: int = 0


class SellerTotals(msgspec.Struct, frozen=True):
    """One seller's part: totals, its lines' totals in their order, tax on the delivery."""

    seller_id: UUID
    totals: Totals
    lines: list[LineTotals]
    delivery: DeliveryChoice
    delivery_tax: int


class Priced(msgspec.Struct, frozen=True):
    """The whole checkout priced: sellers in a stable order, and their sum."""

    totals: Totals
    sellers: list[SellerTotals]


def price(
    lines: Sequence[CheckoutLine],
    deliveries: Mapping[UUID, DeliveryChoice],
    *,
    currency: str,
    tax_rate: int,
) -> Priced:
    """Price lines and deliveries. `tax_rate` in basis points is added to net prices, per line,
    half-even; delivery is taxed at the same rate (it follows the goods: Directive 2006/112/EC,
    article 78 b)."""
    sellers = [
        _price_seller(seller_id, mine, deliveries.get(seller_id), currency, tax_rate)
        for seller_id, mine in by_seller(lines).items()
    ]
    return Priced(totals=add_totals([seller.totals for seller in sellers]), sellers=sellers)


def _price_seller(
    seller_id: UUID,
    lines: Sequence[CheckoutLine],
    choice: DeliveryChoice | None,
    currency: str,
    tax_rate: int,
) -> SellerTotals:
    priced = [price_line(line, discount=0, currency=currency, tax_rate=tax_rate) for line in lines]
    delivery = choice or DeliveryChoice(seller_id, None, "", 0, kind="none")
    delivery_tax = Money(delivery.amount, currency).share(tax_rate).amount
    items = sum(line.subtotal for line in priced)
    discount = sum(line.discount for line in priced)
    tax = sum(line.tax for line in priced) + delivery_tax
    totals = Totals(
        items=items,
        discount=discount,
        delivery=delivery.amount,
        tax=tax,
        total=items - discount + delivery.amount + tax,
    )
    return SellerTotals(seller_id, totals, priced, delivery, delivery_tax)


def price_line(line: CheckoutLine, *, discount: int, currency: str, tax_rate: int) -> LineTotals:
    """One line, its tax rounded half-even to the minor unit."""
    net = line.subtotal - discount
    tax = Money(net, currency).share(tax_rate).amount
    return LineTotals(subtotal=line.subtotal, discount=discount, tax=tax, total=net + tax)


def add_totals(parts: Sequence[Totals]) -> Totals:
    """The sum, figure by figure."""
    return Totals(
        items=sum(part.items for part in parts),
        discount=sum(part.discount for part in parts),
        delivery=sum(part.delivery for part in parts),
        tax=sum(part.tax for part in parts),
        total=sum(part.total for part in parts),
    )


def by_seller(lines: Sequence[CheckoutLine]) -> dict[UUID, list[CheckoutLine]]:
    """Lines grouped by seller; sellers in id order, lines in the order in which they were put."""
    groups: dict[UUID, list[CheckoutLine]] = {}
    for line in lines:
        groups.setdefault(line.seller_id, []).append(line)
    return dict(sorted(groups.items()))


class Checkout(msgspec.Struct, kw_only=True):
    """A purchase in the making, changed by replacing its parts."""

    id: UUID
    state: CheckoutState
    currency: str
    user_id: UUID | None
    guest: bytes | None
    cart_id: UUID | None
    lines: list[CheckoutLine]
    created_at: datetime
    expires_at: datetime
    email: str | None = None
    shipping_address: dict[str, str] | None = None
    billing_address: dict[str, str] | None = None
    choices: list[DeliveryChoice] = msgspec.field(default_factory=list[DeliveryChoice])
    totals: Totals = msgspec.field(default_factory=Totals)
    tax_rate: int = 0
    tax_country: str = ""
    """By whose rate it is taxed: where it goes, where the buyer is, else the marketplace's own."""
    payment_id: UUID | None = None
    order_id: UUID | None = None
    version: int = 1

    def ships(self) -> bool:
        return any(line.ships for line in self.lines)

    def require_open(self) -> None:
        """Raise CheckoutClosed unless parts may still be replaced."""
        if self.state is not CheckoutState.OPEN:
            raise CheckoutClosed(state=self.state)

    def move(self, to: CheckoutState) -> None:
        """Take a step of the table. Raises IllegalTransition."""
        if to not in _CHECKOUT[self.state]:
            raise IllegalTransition(subject="checkout", current=self.state, wanted=to)
        self.state = to

    def reprice(self) -> Priced:
        """Compute the totals anew from lines and choices, and keep them."""
        priced = price(
            self.lines,
            {choice.seller_id: choice for choice in self.choices},
            currency=self.currency,
            tax_rate=self.tax_rate,
        )
        self.totals = priced.totals
        return priced


class OrderLine(msgspec.Struct, kw_only=True):
    """A line of a seller order; all amounts frozen at purchase, quantities move."""

    id: UUID
    variant_id: UUID
    listing_id: UUID
    kind: str
    title: str
    variant_title: str
    sku: str
    slug: str
    image_key: str | None
    unit_price: int
    quantity: int
    discount: int
    tax: int
    total: int
    commission: int
    commission_tax: int
    commission_rule_id: UUID | None
    file_ids: list[UUID]
    fulfilled: int = 0
    cancelled: int = 0
    returned: int = 0
    refunded: int = 0

    @property
    def to_fulfil(self) -> int:
        return self.quantity - self.fulfilled - self.cancelled


class SellerOrder(msgspec.Struct, kw_only=True):
    """One seller's part of an order: the unit that is shipped, released and paid out."""

    id: UUID
    order_id: UUID
    seller_id: UUID
    buyer_id: UUID | None
    currency: str
    state: SellerOrderState
    totals: Totals
    delivery_tax: int
    commission: int
    commission_tax: int
    delivery: DeliveryChoice
    lines: list[OrderLine]
    delivered_at: datetime | None = None
    released: bool = False
    refunded: int = 0
    packed_at: datetime | None = None

    def move(self, to: SellerOrderState) -> SellerOrderState:
        """Take a step of the table and return the state before it. Raises IllegalTransition."""
        if to not in TRANSITIONS[self.state]:
            raise IllegalTransition(subject="order", current=self.state, wanted=to)
        before, self.state = self.state, to
        return before

    def cancel(self) -> SellerOrderState:
        """Cancel all of it. Raises CancelTooLate once anything has left the seller."""
        if any(line.fulfilled for line in self.lines) or S.CANCELLED not in TRANSITIONS[self.state]:
            raise CancelTooLate
        for line in self.lines:
            line.cancelled = line.quantity
        return self.move(S.CANCELLED)

    def require_parcels(self, quantities: Mapping[UUID, int]) -> None:
        """Raises LineNotFound when a download is among the lines."""
        if any(line.id in quantities for line in self.lines if line.kind == "digital"):
            raise LineNotFound

    def fulfil(self, quantities: Mapping[UUID, int]) -> bool:
        """Count units as handed over; True when nothing is left.

        Raises LineNotFound, QuantityNotLeft; nothing is counted then.
        """
        if not quantities.keys() <= {line.id for line in self.lines}:
            raise LineNotFound
        for line in self.lines:
            if not 0 <= quantities.get(line.id, 0) <= line.to_fulfil:
                raise QuantityNotLeft(title=line.title, left=line.to_fulfil)
        for line in self.lines:
            line.fulfilled += quantities.get(line.id, 0)
        return all(line.to_fulfil == 0 for line in self.lines)

    def deliver(self, *, now: datetime) -> SellerOrderState:
        """Everything has arrived."""
        before = self.move(S.DELIVERED)
        self.delivered_at = now
        return before

    def request_return(
        self, *, now: datetime, window: timedelta = RETURN_WINDOW
    ) -> SellerOrderState:
        """The buyer wants to send it back. Raises ReturnWindowOver after `window`."""
        if self.delivered_at is not None and now > self.delivered_at + window:
            raise ReturnWindowOver(days=window.days)
        return self.move(S.RETURN_REQUESTED)

    def take_back(self) -> SellerOrderState:
        """The goods are back with the seller."""
        before = self.move(S.RETURNED)
        for line in self.lines:
            line.returned = line.fulfilled
        return before

    def refund(self, amount: int) -> None:
        """Count `amount` minor units as given back. Lines carry it by largest remainder of what
        each has left; the rest belongs to the delivery. Raises ValueError past what was paid."""
        if not 0 <= amount <= self.refundable:
            raise ValueError(f"at most {self.refundable} can be refunded")
        left = [line.total - line.refunded for line in self.lines]
        delivery = self.refundable - sum(left)
        parts = allocate(amount, [*left, delivery]) if amount else [0] * (len(left) + 1)
        for line, part in zip(self.lines, parts, strict=False):
            line.refunded += part
        self.refunded += amount

    @property
    def refundable(self) -> int:
        """What the buyer paid for it and has not been given back, in minor units."""
        return self.totals.total - self.refunded


_ORDER = (
    S.PENDING,
    S.CONFIRMED,
    S.PROCESSING,
    S.SHIPPED,
    S.RETURN_REQUESTED,
    S.DELIVERED,
    S.COMPLETED,
)


def order_state(states: Sequence[SellerOrderState]) -> str:
    """An order is as far as its slowest living part; cancelled or returned when none lives."""
    for state in _ORDER:
        if state in states:
            return state
    return S.RETURNED if S.RETURNED in states else S.CANCELLED
