"""Product files of other shops, read into drafts.

Owns: the readers (Shopify CSV, WooCommerce CSV, Souk CSV and JSONL), the notations of prices, stock
and weights, and the clean-up of HTML. Never decides whether a listing may be sold: a draft goes
through the same rules as one that was typed in.
"""
