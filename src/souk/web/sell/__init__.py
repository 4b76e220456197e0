"""The seller's desk."""
