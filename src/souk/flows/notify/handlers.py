"""Which events are told to whom."""

from __future__ import annotations

from souk.flows.notify import accounts, live, orders, reviews, selling
from souk.platform.events import Subscription, subscribe
from souk.published.fulfilment import DownloadsGranted, ShipmentShipped
from souk.published.identity import (
    EmailTokenIssued,
    PasswordChanged,
    RegistrationRepeated,
    SignedIn,
)
from souk.published.inventory import LowStock
from souk.published.listings import ListingPaused, ListingPublished, ListingRejected
from souk.published.orders import (
    CheckoutReversed,
    LinesCancelled,
    OrderConfirmed,
    SellerOrderChanged,
)
from souk.published.payments import PaymentFailed, PaymentRefunded
from souk.published.reviews import ReviewModerated, ReviewPublished, ReviewReplied
from souk.published.sellers import SellerApproved, SellerInfoRequested, SellerRejected

_NAME = "notify"
subscriptions: list[Subscription] = [
    subscribe(_NAME, EmailTokenIssued, accounts.on_email_token),
    subscribe(_NAME, RegistrationRepeated, accounts.on_registration_repeated),
    subscribe(_NAME, PasswordChanged, accounts.on_password_changed),
    subscribe(_NAME, SignedIn, accounts.on_signed_in),
    subscribe(_NAME, OrderConfirmed, orders.on_order_confirmed),
    subscribe(_NAME, SellerOrderChanged, orders.on_seller_order_changed),
    subscribe(_NAME, LinesCancelled, orders.on_lines_cancelled),
    subscribe(_NAME, CheckoutReversed, orders.on_checkout_reversed),
    subscribe(_NAME, ShipmentShipped, orders.on_shipped),
    subscribe(_NAME, DownloadsGranted, orders.on_downloads_granted),
    subscribe(_NAME, PaymentFailed, orders.on_payment_failed),
    subscribe(_NAME, PaymentRefunded, orders.on_refunded),
    subscribe(_NAME, SellerApproved, selling.on_approved),
    subscribe(_NAME, SellerRejected, selling.on_rejected),
    subscribe(_NAME, SellerInfoRequested, selling.on_info_requested),
    subscribe(_NAME, ListingPublished, selling.on_published),
    subscribe(_NAME, ListingRejected, selling.on_listing_rejected),
    subscribe(_NAME, ListingPaused, selling.on_listing_paused),
    subscribe(_NAME, ReviewPublished, reviews.on_published),
    subscribe(_NAME, ReviewReplied, reviews.on_replied),
    subscribe(_NAME, ReviewModerated, reviews.on_moderated),
    subscribe(_NAME, LowStock, selling.on_low_stock),
]
subscriptions.append(subscribe("notify.live", SellerOrderChanged, live.on_seller_order_changed))
