"""The embedded engine: tantivy (BM25, Rust) in a folder, read by every process, written by one.

- `layout`      generations of the index in one folder, the pointer to the current one, the lock
- `schema`      fields, and a listing as an index document
- `analysis`    stems per language
- `matching`    a query's words and filters as index queries
- `facets`      counts
- `vocabulary`  the index's own words, for corrections and completions
- `reader`, `writer`, `engine`
"""
