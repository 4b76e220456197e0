"""One package per business capability. Contexts never import each other."""
