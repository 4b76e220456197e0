"""Looking at what is for sale: lists, details with live stock, search."""
