"""Wishlist and recently viewed as people see them: the lists, with the listings of this moment."""
