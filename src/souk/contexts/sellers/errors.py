"""Everything that `sellers` can refuse."""

from __future__ import annotations

from souk.kernel.errors import DomainError, ErrorKind


class SellerNotFound(DomainError):
    """No such shop, or not visible to this caller."""

    code = "seller_not_found"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("This shop is not here. Look for it in the list of sellers.")


class AlreadyApplied(DomainError):
    """The person has a seller account or an application that is being looked at."""

    code = "already_applied"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, state: str) -> None:
        super().__init__(
            "You have applied already. See the state of your application in your account.",
            state=state,
        )


class EmailNotVerified(DomainError):
    """Selling needs a verified address."""

    code = "email_not_verified"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__(
            "Confirm your e-mail address first: open the link that we mailed you, or ask for a "
            "new one in your account."
        )


class ApplicationsClosed(DomainError):
    """No new sellers are taken at present."""

    code = "applications_closed"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__(
            "We take no new sellers at present. Look again in a while; nothing of yours is lost."
        )


class ShopNameTaken(DomainError):
    """Another shop has this address."""

    code = "shop_name_taken"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, slug: str) -> None:
        super().__init__(
            f"Another shop has the address “{slug}”. Choose a different one.", slug=slug
        )
