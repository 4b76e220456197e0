"""Pages of a person: joining, logging in, orders, profile."""
