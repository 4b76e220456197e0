"""Money: accounts, entries, balances, holds and commission. Append-only double entry.

Owns why every cent is where it is. It never talks to a gateway, never decides that money moves,
and never knows what was sold; flows tell it what has happened.
"""
