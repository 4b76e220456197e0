"""A marketplace's worth of real products, for trying Souk out and for its tests.

Reads files only: nothing here knows the database. The same seed gives the same shops, people and
listings every time.
"""
