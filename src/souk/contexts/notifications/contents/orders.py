"""Messages about orders, parcels, downloads and money. Pure."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec

from souk.contexts.notifications.contents.base import Content
from souk.contexts.notifications.domain import Letter, Row, Say


class Bought(msgspec.Struct, frozen=True):
    """A line of an order; `total` in minor units of the order's currency."""

    title: str
    detail: str
    quantity: int
    total: int


def _rows(say: Say, lines: list[Bought], currency: str) -> list[Row]:
    return [
        Row(
            f"{line.quantity} × {line.title}",
            say.money(line.total, currency),
            line.detail,
        )
        for line in lines
    ]


class PurchaseConfirmed(Content, frozen=True, tag="purchase_confirmed"):
    """A buyer's order was paid. Amounts in minor units."""

    order_id: UUID
    number: str
    currency: str
    lines: list[Bought]
    delivery: int
    discount: int
    tax: int
    total: int
    has_digital: bool

    def letter(self, say: Say, *, link: str = "") -> Letter:
        rows = _rows(say, self.lines, self.currency)
        if self.delivery:
            rows.append(Row(say("Delivery"), say.money(self.delivery, self.currency)))
        if self.discount:
            rows.append(Row(say("Discount"), say.money(-self.discount, self.currency)))
        if self.tax:
            rows.append(Row(say("Tax"), say.money(self.tax, self.currency)))
        paragraphs = [say("Your payment arrived and the sellers know what to send.")]
        if self.has_digital:
            paragraphs.append(say("Your downloads are ready on the page of the order."))
        return Letter(
            subject=say("Your order {number}", number=self.number),
            heading=say("Thank you for your order"),
            preview=say("Order {number} is confirmed.", number=self.number),
            paragraphs=paragraphs,
            rows=rows,
            total=Row(say("Total"), say.money(self.total, self.currency)),
            action=say("See the order"),
            path=link or f"/account/orders/{self.order_id}",
        )


class Sale(Content, frozen=True, tag="sale"):
    """A seller sold something. Amounts in minor units; `earning` is less commission and its tax."""

    seller_order_id: UUID
    number: str
    currency: str
    lines: list[Bought]
    total: int
    earning: int
    to_ship: bool

    def letter(self, say: Say, *, link: str = "") -> Letter:
        what_next = (
            say("Accept the order and send it; the buyer sees each step.")
            if self.to_ship
            else say("Everything in it is digital and was delivered by itself.")
        )
        return Letter(
            subject=say("You sold something: order {number}", number=self.number),
            heading=say("You made a sale"),
            paragraphs=[
                what_next,
                say(
                    "You earn {amount} once it is completed.",
                    amount=say.money(self.earning, self.currency),
                ),
            ],
            rows=_rows(say, self.lines, self.currency),
            total=Row(say("Total"), say.money(self.total, self.currency)),
            action=say("Open the order"),
            path=f"/sell/orders/{self.seller_order_id}",
        )


class Shipped(Content, frozen=True, tag="shipped"):
    """A parcel is on its way."""

    order_id: UUID
    number: str
    seller: str
    carrier: str
    tracking_number: str
    estimate_from: date | None = None
    estimate_to: date | None = None

    def letter(self, say: Say, *, link: str = "") -> Letter:
        paragraphs = [
            say(
                "{seller} sent a parcel of your order {number}.",
                seller=self.seller,
                number=self.number,
            )
        ]
        if self.estimate_from and self.estimate_to:
            paragraphs.append(
                say(
                    "It should arrive between {first} and {last}.",
                    first=say.day(self.estimate_from),
                    last=say.day(self.estimate_to),
                )
            )
        rows = [Row(say("Carrier"), self.carrier)]
        if self.tracking_number:
            rows.append(Row(say("Tracking number"), self.tracking_number))
        return Letter(
            subject=say("Your order {number} is on its way", number=self.number),
            heading=say("On its way"),
            paragraphs=paragraphs,
            rows=rows,
            action=say("Follow the parcel"),
            path=link or f"/account/orders/{self.order_id}",
        )


class Delivered(Content, frozen=True, tag="delivered"):
    """A seller's part of an order arrived."""

    order_id: UUID
    number: str
    seller: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("Your order {number} has arrived", number=self.number),
            heading=say("It has arrived"),
            paragraphs=[
                say("What you bought from {seller} was delivered.", seller=self.seller),
                say(
                    "Something is wrong with it? Tell the seller from the page of the order "
                    "before the return window ends."
                ),
            ],
            action=say("See the order"),
            path=link or f"/account/orders/{self.order_id}",
        )


class DownloadReady(Content, frozen=True, tag="download_ready"):
    """Files or licence keys can be fetched."""

    order_id: UUID
    number: str
    titles: list[str]

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("Your downloads of order {number} are ready", number=self.number),
            heading=say("Ready to download"),
            paragraphs=[
                say(
                    "The links on the page of the order are made for you and last one day; open "
                    "the page again for new ones."
                ),
            ],
            rows=[Row(title, "") for title in self.titles],
            action=say("Go to my downloads"),
            path=link or f"/account/orders/{self.order_id}",
        )


class OrderCancelled(Content, frozen=True, tag="order_cancelled"):
    """A seller's part of an order was cancelled."""

    order_id: UUID
    number: str
    seller: str
    reason: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        paragraphs = [
            say(
                "The part of your order {number} from {seller} was cancelled.",
                number=self.number,
                seller=self.seller,
            ),
            say("What you paid for it goes back the way it came."),
        ]
        if self.reason:
            paragraphs.insert(1, say("The reason: {reason}", reason=self.reason))
        return Letter(
            subject=say("Your order {number} was cancelled in part", number=self.number),
            heading=say("Cancelled"),
            paragraphs=paragraphs,
            action=say("See the order"),
            path=link or f"/account/orders/{self.order_id}",
        )


class LinesCancelled(Content, frozen=True, tag="lines_cancelled"):
    """Some pieces of an order were cancelled, by its seller or `by_us`; the rest comes. `refund` in
    minor units."""

    order_id: UUID
    number: str
    seller: str
    reason: str
    refund: int
    currency: str
    by_us: bool = False

    def letter(self, say: Say, *, link: str = "") -> Letter:
        first = (
            say(
                "We had to cancel pieces of your order {number} from {seller}.",
                number=self.number,
                seller=self.seller,
            )
            if self.by_us
            else say(
                "{seller} cannot send all of your order {number}.",
                seller=self.seller,
                number=self.number,
            )
        )
        paragraphs = [first, self.reason]
        if self.refund:
            amount = say.money(self.refund, self.currency)
            paragraphs.append(say("{amount} goes back the way it came.", amount=amount))
        paragraphs.append(say("The rest of your order is not changed."))
        return Letter(
            subject=say("Part of your order {number} was cancelled", number=self.number),
            heading=say("Not everything can come"),
            paragraphs=paragraphs,
            action=say("See the order"),
            path=f"/account/orders/{self.order_id}",
        )


class PaymentFailed(Content, frozen=True, tag="payment_failed"):
    """A payment was declined; nothing was taken."""

    checkout_id: UUID
    amount: int
    currency: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        amount = say.money(self.amount, self.currency)
        return Letter(
            subject=say("Your payment did not go through"),
            heading=say("Your payment did not go through"),
            paragraphs=[
                say("The payment of {amount} was declined. Nothing was taken.", amount=amount),
                say("Try again with the same card or another one; your cart is still there."),
            ],
            action=say("Try again"),
            path=f"/checkout/{self.checkout_id}",
        )


class Refunded(Content, frozen=True, tag="refunded"):
    """Money went back to the buyer."""

    order_id: UUID | None
    number: str
    amount: int
    currency: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        amount = say.money(self.amount, self.currency)
        return Letter(
            subject=say("We refunded {amount}", amount=amount),
            heading=say("Your money is on its way back"),
            paragraphs=[
                say(
                    "{amount} of order {number} goes back the way it came. Your bank may need a "
                    "few days to show it.",
                    amount=amount,
                    number=self.number,
                ),
            ],
            action=say("See the order") if self.order_id else "",
            path=(link or f"/account/orders/{self.order_id}") if self.order_id else "",
        )


class SoldOutRefunded(Content, frozen=True, tag="sold_out_refunded"):
    """A payment arrived when the goods were gone; it is refunded by itself."""

    amount: int
    currency: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        amount = say.money(self.amount, self.currency)
        return Letter(
            subject=say("Sold out in the meantime: we refunded {amount}", amount=amount),
            heading=say("We are sorry: it is sold out"),
            paragraphs=[
                say("Your payment arrived after the goods were gone, so there is no order."),
                say(
                    "All of it, {amount}, goes back the way it came. There is nothing to do.",
                    amount=amount,
                ),
            ],
            action=say("See your cart"),
            path="/cart",
        )
