"""Measures Souk against the bars of speed and size: `make bench`, results in docs/benchmarks.md."""
