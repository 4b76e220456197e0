"""Fulfilment: getting what was bought to the buyer.

Owns delivery addresses and their rules, sellers' shipping methods and rates, shipments and their
tracking, download grants and licence keys. Never decides what an order holds or owes: the flows
hand over order lines, and `orders` keeps which of them are fulfilled.
"""
