"""The embedded engine: tantivy (BM25, Rust) in a folder, read by every process, written by one.

- `schema`      fields, and a listing as an index document
- `analysis`    stems per language
- `matching`    a query's words and filters as index queries
- `ranking`     the order by relevance
- `facets`      counts
- `vocabulary`  the index's own words, for corrections and completions
- `snapshot`    searches one commit; `writer` makes commits; `engine` joins the two
- `layout`      folders and the lock
"""
