"""Search: finds listings by words, filters and order, and remembers what was looked for.

Owns the search index (a folder that can always be rebuilt from the listings) and the anonymous
log of queries. Never decides what may be sold or seen: it is told which listings to hold.
"""
