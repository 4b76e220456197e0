"""Pages of the shop: finding, looking, buying."""
