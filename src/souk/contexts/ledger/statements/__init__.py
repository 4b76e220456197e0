"""A seller's statements: what moved in a period and why, and what still waits."""
