"""The cart as a person sees it: what was put in, at the price and stock of this moment."""
