"""Every message that can be sent: its facts, and how they are said. Pure.

A content is what is stored; its `letter` is what people read.
"""

from __future__ import annotations

from souk.contexts.notifications.contents.accounts import (
    AddressTaken,
    ConfirmNewEmail,
    ConfirmOldEmail,
    NewSignIn,
    PasswordChanged,
    ResetPassword,
    Welcome,
)
from souk.contexts.notifications.contents.digest import Digest, Told
from souk.contexts.notifications.contents.lists import CartWaiting
from souk.contexts.notifications.contents.orders import (
    Bought,
    Delivered,
    DownloadReady,
    LinesCancelled,
    OrderCancelled,
    PaymentFailed,
    PurchaseConfirmed,
    Refunded,
    Sale,
    Shipped,
    SoldOutRefunded,
)
from souk.contexts.notifications.contents.reviews import (
    ReviewAnswered,
    ReviewHidden,
    ReviewReceived,
    ReviewShown,
    ReviewWanted,
)
from souk.contexts.notifications.contents.selling import (
    KeysMissing,
    ListingApproved,
    ListingRejected,
    ListingTakenDown,
    LowStock,
    SaleCancelled,
    SellerApproved,
    SellerAsked,
    SellerRejected,
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
    | LinesCancelled
    | OrderCancelled
    | PaymentFailed
    | Refunded
    | SoldOutRefunded
    | SellerApproved
    | SellerRejected
    | SellerAsked
    | ListingApproved
    | ListingRejected
    | ListingTakenDown
    | SaleCancelled
    | KeysMissing
    | ReviewWanted
    | ReviewReceived
    | ReviewAnswered
    | ReviewShown
    | ReviewHidden
    | LowStock
    | CartWaiting
    | Digest
)


def kind_of(content: AnyContent) -> str:
    """The stable name of a content: its tag."""
    return str(type(content).__struct_config__.tag)


__all__ = [
    "AddressTaken",
    "AnyContent",
    "Bought",
    "CartWaiting",
    "ConfirmNewEmail",
    "ConfirmOldEmail",
    "Delivered",
    "Digest",
    "DownloadReady",
    "KeysMissing",
    "LinesCancelled",
    "ListingApproved",
    "ListingRejected",
    "ListingTakenDown",
    "LowStock",
    "NewSignIn",
    "OrderCancelled",
    "PasswordChanged",
    "PaymentFailed",
    "PurchaseConfirmed",
    "Refunded",
    "ResetPassword",
    "ReviewAnswered",
    "ReviewHidden",
    "ReviewReceived",
    "ReviewShown",
    "ReviewWanted",
    "Sale",
    "SaleCancelled",
    "SellerApproved",
    "SellerAsked",
    "SellerRejected",
    "Shipped",
    "SoldOutRefunded",
    "Told",
    "Welcome",
    "kind_of",
]
