"""Imports of product files: listings, their stock and their categories, batch by batch.

A batch is one transaction with its checkpoint, so that a worker that dies loses nothing and repeats
nothing. The file itself is read outside of transactions.
"""
