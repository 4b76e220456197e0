"""Everything that fulfilment can refuse."""

from __future__ import annotations

from souk.kernel.errors import DomainError, ErrorKind, NotFound


class TooManyMethods(DomainError):
    """A seller has as many shipping methods as allowed."""

    code = "too_many_shipping_methods"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, most: int) -> None:
        super().__init__(f"You can have {most} shipping methods. Remove one first.", most=most)


class TooManyAddresses(DomainError):
    """A person has as many saved addresses as allowed."""

    code = "too_many_addresses"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, most: int) -> None:
        super().__init__(f"You can save {most} addresses. Remove one first.", most=most)


class LinkNotValid(DomainError):
    """The download link was changed, or is older than a day."""

    code = "link_not_valid"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("This download link has ended. Open your order again to get a new one.")


class DownloadRevoked(DomainError):
    """The purchase was refunded, is disputed, or its time to download is over."""

    code = "download_revoked"
    kind = ErrorKind.FORBIDDEN

    def __init__(self, *, reason: str) -> None:
        text = {
            "refund": "This purchase was refunded, so its files can no longer be downloaded.",
            "dispute": "This purchase is disputed. Its files wait until the dispute is settled.",
            "expired": "The time to download this file is over. Ask the seller for a new copy.",
        }.get(reason, "This file can no longer be downloaded. Ask support why.")
        super().__init__(text, reason=reason)


class DownloadsUsedUp(DomainError):
    """Every download that came with the purchase was used."""

    code = "downloads_used_up"
    kind = ErrorKind.FORBIDDEN

    def __init__(self, *, most: int) -> None:
        super().__init__(
            f"All {most} downloads of this file are used. Ask the seller for another one.",
            most=most,
        )


class DownloadTooOften(DomainError):
    """More downloads in an hour than allowed; `retry_after` in seconds."""

    code = "too_many_downloads"
    kind = ErrorKind.LIMITED

    def __init__(self, *, retry_after: int) -> None:
        minutes = max(1, -(-retry_after // 60))
        super().__init__(
            f"That is more than ten downloads in an hour. Try again in {minutes} minutes.",
            retry_after=retry_after,
        )


def no_such(what: str) -> NotFound:
    """Something is absent, or another's: the two look the same."""
    return NotFound(f"There is no such {what}. Reload the page to see what there is.")
