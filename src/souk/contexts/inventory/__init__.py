"""Stock: how many of each variant there are, how many are promised, and the cause of every change.

Owns stock levels, movements and reservations. It never knows prices, orders or what a listing
is called; it never calls another context.
"""
