"""What people see of orders, and what is checked of them."""

from __future__ import annotations

from souk.contexts.orders.queries.checks import (
    SellerOrderMoney,
    money_of_all,
    ordered_listings,
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
from souk.contexts.orders.queries.received import (
    DeliveredPart,
    ReceivedLine,
    delivered_parts,
    received_lines,
    service_record,
)

__all__ = [
    "DaySales",
    "DeliveredPart",
    "LineView",
    "OrderRow",
    "OrderView",
    "PaidWith",
    "ReceivedLine",
    "SellerOrderMoney",
    "SellerOrderRow",
    "SellerOrderView",
    "StepView",
    "address_of",
    "all_orders",
    "delivered_parts",
    "money_of_all",
    "order",
    "ordered_listings",
    "orders_of",
    "payment_of",
    "received_lines",
    "sales_by_day",
    "seller_order",
    "seller_order_counts",
    "seller_orders",
    "service_record",
    "violations",
]
