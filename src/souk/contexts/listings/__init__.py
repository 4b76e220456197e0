"""What is for sale: listings with variants, pictures and digital files, and their life cycle.

Owns titles, prices, pictures, files and states. Never counts stock, never judges sellers, never
knows what a category's attributes mean: those are handed in already checked.
"""
