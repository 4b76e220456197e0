"""What open pages hear at once, over server-sent events."""
