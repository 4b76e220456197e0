"""Becoming a customer: an account and what was accepted with it, in one transaction."""

from __future__ import annotations

from souk.flows.sign_up.flow import REQUIRED, sign_up
from souk.flows.sign_up.http import Register, register_account, routes

__all__ = ["REQUIRED", "Register", "register_account", "routes", "sign_up"]
