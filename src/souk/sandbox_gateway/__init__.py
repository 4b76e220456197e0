"""A payment provider to rehearse with: a small HTTP service with its own durable state.

It behaves like the real ones (intents, 3-D Secure, signed webhooks, settlements, payouts) and
fails on demand. It knows nothing of the marketplace; it owns the database schema `sandbox`.
It moves no money and never keeps a card number.
"""
