"""What messages are about, and what a person may wish for each. Pure.

Log-ins, addresses, passwords and money are told in any case: nobody can switch that off, nor can a
thief who has the account.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Topic(StrEnum):
    """What a message is about; `ACCOUNT` is told in any case."""

    ACCOUNT = "account"
    ORDER = "order"
    DELIVERY = "delivery"
    REVIEW = "review"
    SALE = "sale"
    STOCK = "stock"
    DECISION = "decision"
    NEWS = "news"


class Cadence(StrEnum):
    """When a mail is sent: at once, in the summary of a day or of a week, or not."""

    NOW = "now"
    DAILY = "daily"
    WEEKLY = "weekly"
    NEVER = "never"


CHANGEABLE = tuple(topic for topic in Topic if topic is not Topic.ACCOUNT)
OF_SELLERS = frozenset({Topic.SALE, Topic.STOCK, Topic.DECISION})
# An order's changes and parcels are worth knowing on the day; the rest may wait for a summary.
GATHERED = frozenset({Topic.REVIEW, Topic.SALE, Topic.STOCK, Topic.DECISION, Topic.NEWS})
SUMMARY = "summary"
"""What a summary's unsubscribe link names: every topic that the person gets in summaries."""

TOPICS: dict[str, Topic] = {
    "welcome": Topic.ACCOUNT,
    "reset_password": Topic.ACCOUNT,
    "confirm_new_email": Topic.ACCOUNT,
    "confirm_old_email": Topic.ACCOUNT,
    "address_taken": Topic.ACCOUNT,
    "password_changed": Topic.ACCOUNT,
    "new_sign_in": Topic.ACCOUNT,
    "purchase_confirmed": Topic.ACCOUNT,
    "payment_failed": Topic.ACCOUNT,
    "refunded": Topic.ACCOUNT,
    "sold_out_refunded": Topic.ACCOUNT,
    "lines_cancelled": Topic.ACCOUNT,
    "order_cancelled": Topic.ACCOUNT,
    "sale_cancelled": Topic.ACCOUNT,
    "download_ready": Topic.ORDER,
    "shipped": Topic.DELIVERY,
    "delivered": Topic.DELIVERY,
    "review_wanted": Topic.REVIEW,
    "review_received": Topic.REVIEW,
    "review_answered": Topic.REVIEW,
    "review_shown": Topic.REVIEW,
    "review_hidden": Topic.REVIEW,
    "sale": Topic.SALE,
    "keys_missing": Topic.SALE,
    "low_stock": Topic.STOCK,
    "seller_approved": Topic.DECISION,
    "seller_rejected": Topic.DECISION,
    "seller_asked": Topic.DECISION,
    "listing_approved": Topic.DECISION,
    "listing_rejected": Topic.DECISION,
    "listing_taken_down": Topic.DECISION,
    "cart_waiting": Topic.NEWS,
    "digest": Topic.NEWS,
}


class Choice(msgspec.Struct, frozen=True):
    """What a person wishes for one topic."""

    topic: Topic
    email: Cadence = Cadence.NOW
    in_app: bool = True


def topic_of(kind: str) -> Topic:
    """The topic of a kind of message; an unknown one is told in any case."""
    return TOPICS.get(kind, Topic.ACCOUNT)


def fitting(choice: Choice) -> Choice:
    """The choice as it can be kept: no summary of what cannot wait, nothing without the account."""
    if choice.topic is Topic.ACCOUNT:
        return Choice(Topic.ACCOUNT)
    if choice.email in {Cadence.DAILY, Cadence.WEEKLY} and choice.topic not in GATHERED:
        return msgspec.structs.replace(choice, email=Cadence.NOW)
    return choice
