"""Writes to members whose cart was left standing, once per cart and only if they allowed it."""
