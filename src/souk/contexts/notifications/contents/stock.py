"""Messages about stock. Pure."""

from __future__ import annotations

from uuid import UUID

from souk.contexts.notifications.contents.base import Content
from souk.contexts.notifications.domain import Letter, Say


class LowStock(Content, frozen=True, tag="low_stock"):
    """A variant fell to the threshold that its seller set."""

    listing_id: UUID
    title: str
    on_hand: int

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("“{title}” is running low", title=self.title),
            heading=say("Stock is running low"),
            paragraphs=[
                say(
                    "Of “{title}” there are {count} left. Order or make more in good time.",
                    title=self.title,
                    count=self.on_hand,
                ),
            ],
            action=say("Look at the stock"),
            path="/sell/stock",
        )
