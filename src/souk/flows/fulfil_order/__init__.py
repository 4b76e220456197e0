"""What happens to a seller order after it was paid: shipped, delivered, completed, cancelled,
returned; with the stock, the parcels and the money that each step moves."""
