"""The events that contexts publish: frozen, primitives only, versioned by name."""
