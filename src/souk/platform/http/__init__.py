"""The HTTP edge: who may call, what errors look like, limits, idempotency, headers."""
