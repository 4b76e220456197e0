"""Keeps the search index in step with the listings.

Events note a listing as stale, in the database; the indexer, in the process that holds the writing
engine, reads what is stale, indexes it, commits the index and only then takes the note away. So a
crash at any moment repeats work and loses none.
"""
