"""Who received something says what it is like: ties orders, reviews, pictures and shops."""
