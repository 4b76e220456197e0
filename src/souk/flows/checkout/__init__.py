"""From a cart to a paid order: stock, order, money and cart in one transaction.

`complete.settle` is the one path on which a payment's outcome takes effect, whether the API call,
the webhook or the sweeper brings it. It locks the checkout first, so that the first to come does
the work and the others find it done.
"""
