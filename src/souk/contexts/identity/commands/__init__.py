"""What changes accounts, links, sessions and staff."""
