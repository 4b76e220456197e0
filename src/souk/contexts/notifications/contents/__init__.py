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
from souk.contexts.notifications.contents.orders import (
    Bought,
    Delivered,
    DownloadReady,
    OrderCancelled,
    PaymentFailed,
    PurchaseConfirmed,
    Refunded,
    Sale,
    Shipped,
    SoldOutRefunded,
)
from souk.contexts.notifications.contents.selling import (
    KeysMissing,
    ListingApproved,
    ListingRejected,
    SellerApproved,
    SellerAsked,
    SellerRejected,
)
from souk.contexts.notifications.contents.stock import LowStock

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
    | LowStock
    | Digest
)


def kind_of(content: AnyContent) -> str:
    """The stable name of a content: its tag."""
    return str(type(content).__struct_config__.tag)


__all__ = [
    "AddressTaken",
    "AnyContent",
    "Bought",
    "ConfirmNewEmail",
    "ConfirmOldEmail",
    "Delivered",
    "Digest",
    "DownloadReady",
    "KeysMissing",
    "ListingApproved",
    "ListingRejected",
    "LowStock",
    "NewSignIn",
    "OrderCancelled",
    "PasswordChanged",
    "PaymentFailed",
    "PurchaseConfirmed",
    "Refunded",
    "ResetPassword",
    "Sale",
    "SellerApproved",
    "SellerAsked",
    "SellerRejected",
    "Shipped",
    "SoldOutRefunded",
    "Told",
    "Welcome",
    "kind_of",
]
