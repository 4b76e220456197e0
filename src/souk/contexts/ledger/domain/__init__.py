"""The rules of money, free of I/O: accounts, entries, commission."""
