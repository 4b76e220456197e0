"""Every refusal that reviews can give."""

from __future__ import annotations

from uuid import UUID

from souk.kernel.errors import DomainError, ErrorKind, NotFound


def review_not_found() -> NotFound:
    """No such review, or not one that this caller may see."""
    return NotFound("There is no such review. It may have been deleted.")


class AlreadyReviewed(DomainError):
    """There is a living review of the same thing from the same order."""

    code = "already_reviewed"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, review_id: UUID | None = None) -> None:
        super().__init__(
            "You have reviewed this purchase already. Change that review instead.",
            review_id=str(review_id) if review_id else None,
        )


class NotReceived(DomainError):
    """The purchase has not arrived, or was cancelled."""

    code = "not_received"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("You can review a purchase once it has arrived. Come back then.")


class TooLateToReview(DomainError):
    """The time for a first review is over."""

    code = "review_window_over"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, days: int) -> None:
        super().__init__(
            f"A purchase can be reviewed for {days} days after it arrived. That time is over.",
            days=days,
        )


class TooLateToEdit(DomainError):
    """The time for changes is over; the review can still be deleted."""

    code = "edit_window_over"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, days: int) -> None:
        super().__init__(
            f"A review can be changed for {days} days. You can still delete it.", days=days
        )


class OwnShop(DomainError):
    """Nobody reviews what the own shop sold, nor votes for what is said of it."""

    code = "own_shop"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("You cannot review or judge reviews of your own shop.")


class OwnReview(DomainError):
    """A vote for, or a report of, the own review."""

    code = "own_review"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("This review is yours. You can change or delete it instead.")


class TooManyPhotos(DomainError):
    """The review has as many photos as it may have."""

    code = "too_many_photos"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, most: int) -> None:
        super().__init__(
            f"A review has at most {most} photos. Take one away before you add another.", most=most
        )
