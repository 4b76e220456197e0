"""The rules of fulfilment. Pure."""
