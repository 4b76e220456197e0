"""Souk: a self-hosted marketplace platform."""

__version__ = "0.1.0"
