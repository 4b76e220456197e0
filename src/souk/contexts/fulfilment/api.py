"""The facade of fulfilment: all that flows and pages may use."""

from __future__ import annotations

from souk.contexts.fulfilment.commands.addresses import (
    change_address,
    forget_address,
    save_address,
)
from souk.contexts.fulfilment.commands.downloads import (
    Granted,
    add_licence_keys,
    grant_digital,
    remove_unused_keys,
    revoke_digital,
)
from souk.contexts.fulfilment.commands.methods import add_method, change_method, remove_method
from souk.contexts.fulfilment.commands.shipments import advance, mark_delivered, ship
from souk.contexts.fulfilment.domain.address import Address, checked_address
from souk.contexts.fulfilment.domain.address import lines as address_lines
from souk.contexts.fulfilment.domain.address import normalise as normalise_address
from souk.contexts.fulfilment.domain.address_form import AddressForm, address_form, countries
from souk.contexts.fulfilment.domain.carriers import CARRIERS, carrier_name, tracking_url
from souk.contexts.fulfilment.domain.downloads import DigitalFile, DigitalLine, LicenceKey
from souk.contexts.fulfilment.domain.email import checked_email
from souk.contexts.fulfilment.domain.shipment import (
    ShipLine,
    ShipmentState,
    working_days_after,
)
from souk.contexts.fulfilment.domain.shipping import (
    DEFAULT_METHOD,
    Bracket,
    DeliveryOption,
    GroupToShip,
    Method,
    Rate,
)
from souk.contexts.fulfilment.errors import no_such
from souk.contexts.fulfilment.queries import (
    DownloadLink,
    KeyPool,
    LicenceKeys,
    SavedAddress,
    ShipmentStep,
    ShipmentView,
    checks,
    held_files,
    key_pool,
    keys_owed,
    library,
    licence_keys,
    links,
    methods_of,
    of_orders,
    of_seller,
    on_the_way,
    quote,
    saved_addresses,
    violations,
)

__all__ = [
    "CARRIERS",
    "DEFAULT_METHOD",
    "Address",
    "AddressForm",
    "Bracket",
    "DeliveryOption",
    "DigitalFile",
    "DigitalLine",
    "DownloadLink",
    "Granted",
    "GroupToShip",
    "KeyPool",
    "LicenceKey",
    "LicenceKeys",
    "Method",
    "Rate",
    "SavedAddress",
    "ShipLine",
    "ShipmentState",
    "ShipmentStep",
    "ShipmentView",
    "add_licence_keys",
    "add_method",
    "address_form",
    "address_lines",
    "advance",
    "carrier_name",
    "change_address",
    "change_method",
    "checked_address",
    "checked_email",
    "checks",
    "countries",
    "forget_address",
    "grant_digital",
    "held_files",
    "key_pool",
    "keys_owed",
    "library",
    "licence_keys",
    "links",
    "mark_delivered",
    "methods_of",
    "no_such",
    "normalise_address",
    "of_orders",
    "of_seller",
    "on_the_way",
    "quote",
    "remove_method",
    "remove_unused_keys",
    "revoke_digital",
    "save_address",
    "saved_addresses",
    "ship",
    "tracking_url",
    "violations",
    "working_days_after",
]
