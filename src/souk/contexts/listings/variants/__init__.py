"""What the seller's desk asks of listings: names and prices of variants, what was sent back."""
