"""Owns checkouts, orders, seller orders, their lines, totals, states and timelines.

Never holds money or stock: it says what was bought and how far it has come; flows move the rest.
"""
