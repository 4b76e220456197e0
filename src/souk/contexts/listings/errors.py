"""Everything that listings can refuse, beside wrong fields and illegal transitions."""

from __future__ import annotations

from souk.kernel.errors import DomainError, ErrorKind, NotFound


def listing_not_found() -> NotFound:
    """The listing is absent, or not the caller's: the two look the same."""
    return NotFound("There is no such listing. It may have been removed; go back to the list.")


class StaleListing(DomainError):
    """The caller changed an older version than the stored one."""

    code = "listing_changed"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, current: int) -> None:
        super().__init__(
            "Somebody changed this listing since you opened it. Reload it and change it again.",
            current_version=current,
        )


class ListingArchived(DomainError):
    """An archived listing stays as it is."""

    code = "listing_archived"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("This listing is archived and cannot be changed. Create a new one.")


class SlugTaken(DomainError):
    """Another listing has this address."""

    code = "slug_taken"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("Another listing has this address (slug). Choose a different one.")


class SkuTaken(DomainError):
    """Another listing of the same seller has one of the SKUs."""

    code = "sku_taken"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("You use one of these SKUs in another listing. Give each its own.")


class TooManyImages(DomainError):
    """The listing has as many pictures as it may have."""

    code = "too_many_images"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, most: int) -> None:
        super().__init__(f"A listing has at most {most} pictures. Remove one first.", most=most)


class TooManyFiles(DomainError):
    """The listing has as many digital files as it may have."""

    code = "too_many_files"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, most: int) -> None:
        super().__init__(f"A listing has at most {most} files. Remove one first.", most=most)


class NotDigital(DomainError):
    """Only digital listings carry files."""

    code = "not_digital"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("Only digital listings carry files. Create a digital listing for it.")


class BadImage(DomainError):
    """The upload is not a picture that Souk takes."""

    code = "bad_image"
    kind = ErrorKind.INVALID


class BadFile(DomainError):
    """The upload cannot be sold as a file."""

    code = "bad_file"
    kind = ErrorKind.INVALID
