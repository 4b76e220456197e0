"""What visitors report about a listing, kept until an operator has looked at it.

Owns the reports themselves. Taking a listing out of sight is the listing's own command.
"""
