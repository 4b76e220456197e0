"""What crosses contexts: each flow calls several facades in one transaction."""
