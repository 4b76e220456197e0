"""What the sandbox must be told at start."""

from __future__ import annotations

import msgspec

from souk.platform.settings import Settings

WEBHOOK_PATH = "/api/v1/payments/webhooks/sandbox"
"""Where on the merchant's site events are posted unless another address is given."""


class SandboxSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Delays are in seconds; tests shorten them."""

    api_key: str
    webhook_secret: str
    webhook_url: str
    """Where signed events are posted; empty means that nobody listens."""
    public_url: str
    """How buyers' browsers reach this service: card page and 3-D Secure page."""
    hang_seconds: float = 30.0
    """How long the time-out faults keep the caller waiting."""
    slow_seconds: float = 1.5
    """How long `slow` waits between the effect and the answer."""
    webhook_delay_seconds: float = 10.0
    processing_seconds: float = 3.0
    payout_seconds: float = 3.0
    first_retry_seconds: float = 1.0
    """The pause before a refused webhook is sent again; it doubles up to ten minutes."""

    @classmethod
    def from_settings(cls, settings: Settings) -> SandboxSettings:
        """The sandbox that serves the program with these settings."""
        return cls(
            api_key=settings.sandbox_api_key,
            webhook_secret=settings.sandbox_webhook_secret,
            webhook_url=settings.base_url.rstrip("/") + WEBHOOK_PATH,
            public_url=settings.sandbox_url.rstrip("/"),
        )
