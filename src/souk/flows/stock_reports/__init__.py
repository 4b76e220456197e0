"""What stock is worth: pieces of `inventory` at the prices of `listings`."""
