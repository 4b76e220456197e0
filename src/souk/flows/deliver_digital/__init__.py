"""What happens to digital lines once an order is paid: downloads and licence keys, at once."""
