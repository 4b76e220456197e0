"""Fulfilment in PostgreSQL: load, lock, save.

Rows are locked in this order: download grants by id, licence claims by order line, licence keys.
"""
