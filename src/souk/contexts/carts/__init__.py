"""Carts and lists: what a guest or a member means to buy, wishes for, and looked at.

Owns which variants are in a cart, how many, and the price that was shown when they were put in;
the wishlist with what it showed then; the last listings that somebody looked at; and which carts
left standing their owners were reminded of. Never decides whether something can be bought, what it
costs now or how many are left: the flows `cart` and `lists` ask the contexts that know.
"""
