"""Carriers that sellers name, and where their parcels can be followed."""

from __future__ import annotations

from urllib.parse import quote

import msgspec


class Carrier(msgspec.Struct, frozen=True):
    """`tracking` holds `{}` for the number; it is empty when the carrier has no public page."""

    code: str
    name: str
    tracking: str


CARRIERS = {
    carrier.code: carrier
    for carrier in (
        Carrier("dhl", "DHL", "https://www.dhl.com/en/express/tracking.html?AWB={}"),
        Carrier(
            "deutsche_post", "Deutsche Post", "https://www.deutschepost.de/sendung?piececode={}"
        ),
        Carrier("dpd", "DPD", "https://tracking.dpd.de/status/en_US/parcel/{}"),
        Carrier("gls", "GLS", "https://gls-group.com/track/{}"),
        Carrier("hermes", "Hermes", "https://www.myhermes.de/empfangen/sendungsverfolgung/?id={}"),
        Carrier("ups", "UPS", "https://www.ups.com/track?tracknum={}"),
        Carrier("fedex", "FedEx", "https://www.fedex.com/fedextrack/?trknbr={}"),
        Carrier("usps", "USPS", "https://tools.usps.com/go/TrackConfirmAction?tLabels={}"),
        Carrier("royal_mail", "Royal Mail", "https://www.royalmail.com/track-your-item#/{}"),
        Carrier("la_poste", "La Poste", "https://www.laposte.fr/outils/suivre-vos-envois?code={}"),
        Carrier("postnl", "PostNL", "https://jouw.postnl.nl/track-and-trace/{}"),
        Carrier("poste_italiane", "Poste Italiane", "https://www.poste.it/cerca/#/{}"),
        Carrier("correos", "Correos", "https://www.correos.es/es/en/tools/tracker?numero={}"),
        Carrier("other", "Other carrier", ""),
        Carrier("pickup", "Collected by the buyer", ""),
    )
}


def tracking_url(code: str, number: str) -> str:
    """The carrier's page for a tracking number; empty when there is none."""
    carrier = CARRIERS.get(code)
    if carrier is None or not carrier.tracking or not number:
        return ""
    return carrier.tracking.format(quote(number, safe=""))


def carrier_name(code: str) -> str:
    """How the carrier is shown to people."""
    carrier = CARRIERS.get(code)
    return carrier.name if carrier else code
