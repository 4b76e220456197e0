"""Use cases that change fulfilment."""
