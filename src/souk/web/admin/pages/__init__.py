"""Its pages, by room."""
