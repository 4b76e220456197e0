"""Reads of fulfilment."""

from __future__ import annotations

from souk.contexts.fulfilment.queries.addresses import (
    SavedAddress,
    saved_addresses,
)
from souk.contexts.fulfilment.queries.checks import (
    violations,
)
from souk.contexts.fulfilment.queries.downloads import (
    DownloadLink,
    KeyPool,
    LicenceKeys,
    grant_behind,
    held_files,
    key_pool,
    keys_owed,
    library,
    licence_keys,
    links,
)
from souk.contexts.fulfilment.queries.methods import (
    methods_of,
    quote,
)
from souk.contexts.fulfilment.queries.shipments import (
    ShipmentStep,
    ShipmentView,
    of_orders,
    of_seller,
    on_the_way,
)

__all__ = [
    "DownloadLink",
    "KeyPool",
    "LicenceKeys",
    "SavedAddress",
    "ShipmentStep",
    "ShipmentView",
    "grant_behind",
    "held_files",
    "key_pool",
    "keys_owed",
    "library",
    "licence_keys",
    "links",
    "methods_of",
    "of_orders",
    "of_seller",
    "on_the_way",
    "quote",
    "saved_addresses",
    "violations",
]
