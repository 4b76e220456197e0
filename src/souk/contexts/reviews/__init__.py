"""What buyers say of what they bought and of who sold it: reviews, replies, votes, moderation.

It owns the schema `reviews`. Who may review what is asked by the flow `review_purchase`.
"""
