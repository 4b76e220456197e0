"""Every message that can be sent: its facts, and how they are said. Pure.

A content is what is stored; its `letter` is what people read. Contents hold ids, numbers and words,
never a secret: a link that opens an account is added when the mail is sent.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec

from souk.contexts.notifications.domain import Letter, Row, Say


class Content(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """The facts of one message."""

    def letter(self, say: Say, *, link: str = "") -> Letter:
        """The message in words; `link` is the secret address of contents that need one."""
        raise NotImplementedError


# --- accounts ----------------------------------------------------------------------------------


class Welcome(Content, frozen=True, tag="welcome"):
    """A new account, and the link that verifies its address."""

    name: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("Welcome to {marketplace}: confirm your e-mail address"),
            heading=say("Welcome, {name}", name=self.name),
            preview=say("One click, and your account is ready."),
            paragraphs=[
                say("Your account is almost ready. Confirm that this address is yours."),
                say("The link works once and for one day."),
            ],
            action=say("Confirm my address"),
            path=link,
            note=say("You did not open an account? Then ignore this mail; nothing will happen."),
        )


class ResetPassword(Content, frozen=True, tag="reset_password"):
    """The link with which a forgotten password is replaced."""

    name: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("Choose a new password"),
            heading=say("Choose a new password"),
            paragraphs=[
                say(
                    "Hello {name}, somebody asked for a new password for your account.",
                    name=self.name,
                ),
                say("If it was you, choose one now. The link works once and for one hour."),
            ],
            action=say("Choose a new password"),
            path=link,
            note=say("It was not you? Then ignore this mail; your password stays as it is."),
        )


class ConfirmNewEmail(Content, frozen=True, tag="confirm_new_email"):
    """Sent to the new address of an account."""

    name: str
    new_email: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("Confirm your new e-mail address"),
            heading=say("Confirm your new address"),
            paragraphs=[
                say(
                    "Hello {name}, {email} is to become the address of your account.",
                    name=self.name,
                    email=self.new_email,
                ),
                say("We sent a mail to the old address too. It changes when both are confirmed."),
            ],
            action=say("Confirm this address"),
            path=link,
            note=say("You have no account with us? Then ignore this mail."),
        )


class ConfirmOldEmail(Content, frozen=True, tag="confirm_old_email"):
    """Sent to the present address of an account that is to get another one."""

    name: str
    new_email: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("Somebody wants to change the e-mail address of your account"),
            heading=say("Is this change yours?"),
            paragraphs=[
                say(
                    "Hello {name}, your account is to move to {email}.",
                    name=self.name,
                    email=self.new_email,
                ),
                say("It moves only if you agree here and the new address is confirmed too."),
            ],
            action=say("Agree to the change"),
            path=link,
            note=say("It was not you? Do not click. Log in and change your password."),
        )


class AddressTaken(Content, frozen=True, tag="address_taken"):
    """Somebody tried to register with an address that has an account."""

    name: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("You already have an account"),
            heading=say("You already have an account"),
            paragraphs=[
                say(
                    "Hello {name}, somebody tried to open an account with your address.",
                    name=self.name,
                ),
                say("If it was you, just log in. If you forgot your password, choose a new one."),
            ],
            action=say("Log in"),
            path="/login",
            note=say("It was not you? Nothing was changed, and nobody was told that you are here."),
        )


class PasswordChanged(Content, frozen=True, tag="password_changed"):
    """The password of an account is another one."""

    name: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("Your password was changed"),
            heading=say("Your password was changed"),
            paragraphs=[
                say(
                    "Hello {name}, your account has a new password since just now.", name=self.name
                ),
            ],
            action=say("Look at my account"),
            path="/account/security",
            note=say("It was not you? Choose a new password at once, by “Forgot password”."),
        )


class NewSignIn(Content, frozen=True, tag="new_sign_in"):
    """A log-in from a device that the account had not used."""

    name: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("New log-in to your account"),
            heading=say("A new device logged in"),
            paragraphs=[
                say(
                    "Hello {name}, somebody logged in to your account from a device that it had "
                    "not seen before. If it was you, there is nothing to do.",
                    name=self.name,
                ),
            ],
            action=say("See my devices"),
            path="/account/security",
            note=say("It was not you? Log the device out there and change your password."),
        )


# --- orders ------------------------------------------------------------------------------------


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
            path=f"/orders/{self.order_id}",
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
            path=f"/orders/{self.order_id}",
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
            path=f"/orders/{self.order_id}",
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
            path=f"/orders/{self.order_id}",
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
            path=f"/orders/{self.order_id}",
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
            path=f"/orders/{self.order_id}" if self.order_id else "",
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


# --- selling -----------------------------------------------------------------------------------


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


AnyContent = (
    Welcome
    | ResetPassword
    | ConfirmNewEmail
    | ConfirmOldEmail
    | AddressTaken
    | PasswordChanged
    | NewSignIn
    | PurchaseConfirmed
    | Sale
    | Shipped
    | Delivered
    | DownloadReady
    | OrderCancelled
    | PaymentFailed
    | Refunded
    | SoldOutRefunded
    | SellerApproved
    | SellerRejected
    | SellerAsked
    | ListingApproved
    | ListingRejected
    | KeysMissing
)


def kind_of(content: Content) -> str:
    """The stable name of a content: its tag."""
    return str(type(content).__struct_config__.tag)
