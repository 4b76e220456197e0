"""The vocabulary that every other room uses. Standard library only; no I/O."""
