"""Messages about carts and lists. Pure."""

from __future__ import annotations

from souk.contexts.notifications.contents.base import Content
from souk.contexts.notifications.domain import Letter, Say


class CartWaiting(Content, frozen=True, tag="cart_waiting"):
    """A cart was left standing; only to those who allowed it. `more` things are not named."""

    name: str
    titles: list[str]
    more: int = 0

    def letter(self, say: Say, *, link: str = "") -> Letter:
        named = "\n".join(f"• {title}" for title in self.titles)
        paragraphs = [
            say("Hello {name}, this still stands in your cart:", name=self.name),
            named,
        ]
        if self.more:
            paragraphs.append(say("And {n} more.", n=self.more))
        paragraphs.append(
            say("Prices and stock may have changed; the cart shows them as they are.")
        )
        return Letter(
            subject=say("Your cart at {marketplace} waits for you"),
            heading=say("You left something standing"),
            preview=say("It is still there, if you still want it."),
            paragraphs=paragraphs,
            action=say("Look at the cart"),
            path="/cart",
            note=say(
                "We write this once, because you allowed mails about new things. You can end that "
                "in your account under Privacy."
            ),
        )
