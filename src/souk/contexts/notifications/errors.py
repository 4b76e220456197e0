"""Everything that notifications can refuse."""

from __future__ import annotations

from souk.kernel.errors import NotFound


def no_notice() -> NotFound:
    """The notice is not one of the caller's."""
    return NotFound("There is no such notification. Reload the page to see what there is.")


def bad_link() -> NotFound:
    """The link of a mail was cut off or changed."""
    return NotFound("This link is not whole. Open it from the mail again, or log in to choose.")
