"""A seller writes a listing: catalogue, listing and first stock in one transaction."""
