"""A seller writes a listing: catalogue rules, the listing and its first stock in one transaction."""
