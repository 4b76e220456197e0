"""What people see of orders, and what is checked of them."""

from __future__ import annotations

from souk.contexts.orders.queries.checks import (
    SellerOrderMoney,
    money_of_all,
    ordered_listings,
    paying,
    violations,
)
from souk.contexts.orders.queries.reading import (
    DaySales,
    LineView,
    OrderRow,
    OrderView,
    PaidWith,
    SellerOrderRow,
    SellerOrderView,
    StepView,
    address_of,
    all_orders,
    order,
    orders_of,
    payment_of,
    sales_by_day,
    seller_order,
    seller_order_counts,
    seller_orders,
)

__all__ = [
    "DaySales",
    "LineView",
    "OrderRow",
    "OrderView",
    "PaidWith",
    "SellerOrderMoney",
    "SellerOrderRow",
    "SellerOrderView",
    "StepView",
    "address_of",
    "all_orders",
    "money_of_all",
    "order",
    "ordered_listings",
    "orders_of",
    "paying",
    "payment_of",
    "sales_by_day",
    "seller_order",
    "seller_order_counts",
    "seller_orders",
    "violations",
]
