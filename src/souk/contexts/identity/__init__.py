"""Who people are and how they prove it.

Owns accounts, passwords, sessions, tokens, mailed links, staff roles and which seller account a
person belongs to. Never decides about orders, money or listings, and never sends mail: it publishes
that a link is due.
"""
