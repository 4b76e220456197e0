"""What operators change about buying."""

from __future__ import annotations

from typing import Any

from souk.kernel.errors import DomainError, ErrorKind
from souk.platform.http.holder import Holder
from souk.platform.options import Flag, Option, Options, Subject

GUESTS = Flag(
    key="checkout.guests",
    title="Guests may buy",
    help="Off: a guest is asked to log in or to open an account before the checkout. Orders that "
    "guests have placed stay theirs.",
)
options: list[Option[Any] | Flag] = [GUESTS]


class LogInToBuy(DomainError):
    """Guests may not buy at present."""

    code = "log_in_to_buy"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__(
            "Log in or open an account to go to the checkout. Your cart comes with you."
        )


def may_buy(switches: Options, holder: Holder) -> None:
    """Raises LogInToBuy for a guest while guests may not buy."""
    if holder.user_id is None and not switches.is_on(
        GUESTS, Subject(id=holder.guest.hex() if holder.guest else "")
    ):
        raise LogInToBuy
