"""Variants by themselves: their names and prices for lists of stock."""
