"""The summary of a day or a week. Pure."""

from __future__ import annotations

import msgspec

from souk.contexts.notifications.contents.base import Content
from souk.contexts.notifications.domain import Letter, Row, Say


class Told(msgspec.Struct, frozen=True):
    """One message of a summary, already in the person's words."""

    heading: str
    text: str


class Digest(Content, frozen=True, tag="digest"):
    """What happened since the last summary; `weekly` or daily. `more` messages are not named."""

    weekly: bool
    told: list[Told]
    more: int = 0

    def letter(self, say: Say, *, link: str = "") -> Letter:
        heading = say("Your week in short") if self.weekly else say("Your day in short")
        paragraphs = [say("This happened since the last summary.")]
        if self.more:
            paragraphs.append(say("And {n} more; you find all of it in your account.", n=self.more))
        return Letter(
            subject=say("{heading} at {marketplace}", heading=heading)
            if say.marketplace
            else heading,
            heading=heading,
            paragraphs=paragraphs,
            rows=[Row(each.heading, "", each.text) for each in self.told],
            action=say("See all of it"),
            path="/account/notifications",
        )
