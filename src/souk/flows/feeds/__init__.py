"""What other machines read of the whole market: sitemaps and product feeds, built by the hour."""
