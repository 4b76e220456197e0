"""One module for each gateway; each passes `tests/payments/gateway_contract.py`."""
