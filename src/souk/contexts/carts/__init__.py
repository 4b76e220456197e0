"""Carts: what a guest or a member means to buy, over several sellers and kinds of goods.

Owns which variants are in a cart, how many, and the price that was shown when they were put in.
Never decides whether something can be bought, what it costs now or how many are left: the flow
`cart` asks the contexts that know.
"""
