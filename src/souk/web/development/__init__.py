"""Pages that exist only in development: the mailbox and the design language."""
