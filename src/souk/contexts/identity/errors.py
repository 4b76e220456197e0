"""Every refusal that identity can give."""

from __future__ import annotations

from souk.kernel.errors import DomainError, ErrorKind


class BadEmail(DomainError):
    """Not an address that mail can be sent to."""

    code = "bad_email"
    kind = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__("This is not a complete e-mail address. Write it like name@example.com.")


class WeakPassword(DomainError):
    """The password can be guessed; `hints` say what would help."""

    code = "weak_password"
    kind = ErrorKind.INVALID

    def __init__(self, message: str, *, hints: list[str]) -> None:
        super().__init__(message, hints=hints)


class LogInFailed(DomainError):
    """Address and password do not belong together, or there is no such account: one answer."""

    code = "log_in_failed"
    kind = ErrorKind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__(
            "The address or the password is not right. Try again, or reset your password."
        )


class LockedOut(DomainError):
    """Too many wrong passwords; `retry_after` seconds until the next try."""

    code = "locked_out"
    kind = ErrorKind.LIMITED

    def __init__(self, *, retry_after: int) -> None:
        minutes = max(1, -(-retry_after // 60))
        super().__init__(
            f"Too many tries. Wait {minutes} minutes, or reset your password to log in now.",
            retry_after=retry_after,
        )


class TooManyLogIns(DomainError):
    """More people log in at once than this process can hash passwords for."""

    code = "too_many_log_ins"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("Many people log in right now. Try again in a moment.", retry_after=3)


class AccountSuspended(DomainError):
    """The password was right and the account is suspended."""

    code = "account_suspended"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("This account is suspended. Write to support to have it looked at.")


class WrongPassword(DomainError):
    """The current password, asked for again before a sensitive change, is not right."""

    code = "wrong_password"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("This is not your current password. Nothing was changed; try again.")


class LinkInvalid(DomainError):
    """A mailed link that was used, replaced or made up, or whose time is over."""

    code = "link_invalid"
    kind = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__(
            "This link was already used or is out of date. Ask for a new one; "
            "if you have just used it, log in."
        )


class RefreshRefused(DomainError):
    """The refresh token is unknown, used, expired or revoked."""

    code = "refresh_refused"
    kind = ErrorKind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("This session is over. Log in again.")


class EmailUnavailable(DomainError):
    """At the end of a change of address, confirmed at both, the new one belongs to an account."""

    code = "email_unavailable"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("This address already belongs to an account. Use another one.")


class UserNotFound(DomainError):
    """No such user, or not one that this caller may see."""

    code = "not_found"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("There is no such user. Check the address or search the list of users.")


class SessionNotFound(DomainError):
    """No such session of this person."""

    code = "not_found"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("This session has ended already. Reload the list to see the open ones.")


class NotGrantable(DomainError):
    """A role that is not given by hand, or that holds more than the giver's own permissions."""

    code = "role_not_grantable"
    kind = ErrorKind.FORBIDDEN

    def __init__(self, *, role: str) -> None:
        super().__init__(
            f"You cannot give or take the role {role}. Ask an administrator.", role=role
        )


class OwnAccount(DomainError):
    """Staff cannot suspend themselves or take their own roles: the last one would lock the door."""

    code = "own_account"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("You cannot do this to your own account. Ask another administrator.")


class AlreadyMember(DomainError):
    """The person belongs to another seller account."""

    code = "already_member"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__(
            "This person already belongs to another seller account. Use another account."
        )
