"""Payments, refunds and the inbox of the gateways' webhooks.

Owns what the gateways say about the buyers' money. It never sees a card number, never decides
what an order is, and never writes the ledger: others act on its events.
"""
