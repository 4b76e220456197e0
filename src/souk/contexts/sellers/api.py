"""The facade of `sellers`."""

from __future__ import annotations

from souk.contexts.sellers import desk_queries as desk
from souk.contexts.sellers.commands import (
    Application,
    Storefront,
    apply,
    approve,
    ask_more,
    keep_rating,
    keep_record,
    reject,
    set_holiday,
    set_tier,
    suspend,
    update_storefront,
)
from souk.contexts.sellers.domain import Record, Seller, SellerKind, SellerState, Tier, slug_of
from souk.contexts.sellers.errors import (
    AlreadyApplied,
    ApplicationsClosed,
    EmailNotVerified,
    SellerNotFound,
    ShopNameTaken,
)
from souk.contexts.sellers.options import NEW_SELLERS
from souk.contexts.sellers.queries import (
    SellerAccount,
    SellerCard,
    SellerRow,
    SellerView,
    account,
    by_slug,
    cards,
    counts,
    ids,
    listed,
    open_shops,
)

__all__ = [
    "NEW_SELLERS",
    "AlreadyApplied",
    "Application",
    "ApplicationsClosed",
    "EmailNotVerified",
    "Record",
    "Seller",
    "SellerAccount",
    "SellerCard",
    "SellerKind",
    "SellerNotFound",
    "SellerRow",
    "SellerState",
    "SellerView",
    "ShopNameTaken",
    "Storefront",
    "Tier",
    "account",
    "apply",
    "approve",
    "ask_more",
    "by_slug",
    "cards",
    "counts",
    "desk",
    "ids",
    "keep_rating",
    "keep_record",
    "listed",
    "open_shops",
    "reject",
    "set_holiday",
    "set_tier",
    "slug_of",
    "suspend",
    "update_storefront",
]
