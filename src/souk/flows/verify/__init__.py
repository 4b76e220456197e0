"""`souk verify`: every invariant of the marketplace on the live database."""
