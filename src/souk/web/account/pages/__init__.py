"""Controllers, found by the composition root."""
