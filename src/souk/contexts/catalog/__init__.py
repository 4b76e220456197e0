"""What things are: the tree of categories, their typed attributes, and plant species.

Never knows which listings exist: a move of a category is told by an event.
"""
