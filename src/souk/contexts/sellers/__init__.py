"""Owns seller accounts: applications and their decisions, storefronts, holidays, tiers, ratings.

Never decides who may sign in (identity) and never holds listings, orders or money.
"""
