"""Messages to those who sell. Pure."""

from __future__ import annotations

from uuid import UUID

from souk.contexts.notifications.contents.base import Content
from souk.contexts.notifications.domain import Letter, Say


class SellerApproved(Content, frozen=True, tag="seller_approved"):
    """An application to sell was accepted."""

    shop: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("{shop} may sell now", shop=self.shop),
            heading=say("Welcome as a seller"),
            paragraphs=[say("{shop} was approved. Create your first listing.", shop=self.shop)],
            action=say("Create a listing"),
            path="/sell/listings/new",
        )


class SellerRejected(Content, frozen=True, tag="seller_rejected"):
    """An application to sell was refused, with the reason."""

    shop: str
    reason: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("Your application to sell"),
            heading=say("We cannot accept {shop} for now", shop=self.shop),
            paragraphs=[
                say("The reason: {reason}", reason=self.reason),
                say("If you think that this is a mistake, answer this decision from your account."),
            ],
            action=say("See the application"),
            path="/sell/apply",
        )


class SellerAsked(Content, frozen=True, tag="seller_asked"):
    """The operator needs more before deciding on an application."""

    shop: str
    question: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("We need a little more about {shop}", shop=self.shop),
            heading=say("A question about your application"),
            paragraphs=[self.question, say("Add it to your application; we look at it again.")],
            action=say("Complete the application"),
            path="/sell/apply",
        )


class ListingApproved(Content, frozen=True, tag="listing_approved"):
    """A listing is visible to buyers."""

    listing_id: UUID
    title: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("“{title}” is for sale", title=self.title),
            heading=say("Your listing is live"),
            paragraphs=[say("“{title}” was approved, and buyers can find it.", title=self.title)],
            action=say("See the listing"),
            path=f"/sell/listings/{self.listing_id}",
        )


class ListingRejected(Content, frozen=True, tag="listing_rejected"):
    """A listing was sent back to its seller, with the reason."""

    listing_id: UUID
    title: str
    reason: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("“{title}” needs a change", title=self.title),
            heading=say("Your listing needs a change"),
            paragraphs=[
                say("“{title}” cannot be shown as it is.", title=self.title),
                say("The reason: {reason}", reason=self.reason),
                say("Change it and submit it again."),
            ],
            action=say("Edit the listing"),
            path=f"/sell/listings/{self.listing_id}",
        )


class ListingTakenDown(Content, frozen=True, tag="listing_taken_down"):
    """A listing was taken out of sight by the operators, with the reason."""

    listing_id: UUID
    title: str
    reason: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("“{title}” was taken out of sight", title=self.title),
            heading=say("Nobody sees your listing for now"),
            paragraphs=[
                say("We took “{title}” out of sight. Nobody can find or buy it.", title=self.title),
                say("The reason: {reason}", reason=self.reason),
                say("Orders that were placed before go on as usual."),
            ],
            action=say("See the listing"),
            path=f"/sell/listings/{self.listing_id}",
        )


class SaleCancelled(Content, frozen=True, tag="sale_cancelled"):
    """Somebody else than the shop cancelled an order of it, or pieces of one, and says why."""

    seller_order_id: UUID
    number: str
    reason: str
    whole: bool

    def letter(self, say: Say, *, link: str = "") -> Letter:
        what = (
            say("Order {number} is cancelled. Do not send it.", number=self.number)
            if self.whole
            else say(
                "Pieces of order {number} are cancelled. Look at it before you send anything.",
                number=self.number,
            )
        )
        return Letter(
            subject=say("Cancelled: order {number}", number=self.number),
            heading=say("Cancelled"),
            paragraphs=[
                what,
                say("The reason: {reason}", reason=self.reason),
                say("The goods are in your stock again, and the buyer gets the money back."),
            ],
            action=say("Open the order"),
            path=f"/sell/orders/{self.seller_order_id}",
        )


class KeysMissing(Content, frozen=True, tag="keys_missing"):
    """Buyers wait for licence keys that the seller has not added."""

    seller_order_id: UUID
    number: str
    count: int

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("Licence keys are missing for order {number}", number=self.number),
            heading=say("A buyer waits for licence keys"),
            paragraphs=[
                say(
                    "Order {number} needs {count} more. Add keys, and the buyer gets them at once.",
                    number=self.number,
                    count=self.count,
                ),
            ],
            action=say("Open the order"),
            path=f"/sell/orders/{self.seller_order_id}",
        )


class LowStock(Content, frozen=True, tag="low_stock"):
    """A variant has run down to the number at which its seller asked to be warned."""

    variant_id: UUID
    name: str
    on_hand: int

    def letter(self, say: Say, *, link: str = "") -> Letter:
        left = (
            say("{name} is sold out.", name=self.name)
            if not self.on_hand
            else say("{count} of {name} are left.", count=str(self.on_hand), name=self.name)
        )
        return Letter(
            subject=say("Runs low: {name}", name=self.name),
            heading=say("Your stock runs low"),
            paragraphs=[
                left,
                say("Enter new stock when it comes in, or change the number of the warning."),
            ],
            action=say("Open the stock"),
            path=f"/sell/stock/{self.variant_id}",
        )
