"""Messages about reviews. Pure."""

from __future__ import annotations

from uuid import UUID

from souk.contexts.notifications.contents.base import Content
from souk.contexts.notifications.domain import Letter, Say

_SHORT = 240


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else text[:_SHORT].rsplit(" ", 1)[0] + "…"


class ReviewWanted(Content, frozen=True, tag="review_wanted"):
    """A delivery has been with its buyer for some days."""

    order_id: UUID
    number: str
    titles: list[str]

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("How is {title}?", title=self.titles[0]),
            heading=say("How is what you bought?"),
            paragraphs=[
                say(
                    "{titles} arrived some days ago. A few words help others to choose, and the"
                    " seller to do well.",
                    titles=", ".join(self.titles),
                ),
                say("Praise and criticism are both welcome. It takes a minute."),
            ],
            action=say("Write a review"),
            path=f"{link or f'/account/orders/{self.order_id}'}#reviews",
            note=say("You are asked once for each delivery."),
        )


class ReviewReceived(Content, frozen=True, tag="review_received"):
    """A shop, or one of its listings, was reviewed. `text` may be empty."""

    review_id: UUID
    title: str
    of_shop: bool
    stars: int
    text: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        if self.of_shop:
            said = say("Your shop got {stars} of 5 stars.", stars=self.stars)
        else:
            said = say("{title} got {stars} of 5 stars.", title=self.title, stars=self.stars)
        paragraphs = [said]
        if self.text:
            paragraphs.append(say("“{text}”", text=_short(self.text)))
        return Letter(
            subject=said,
            heading=say("A new review"),
            paragraphs=paragraphs,
            action=say("Read and answer"),
            path=f"/sell/reviews#review-{self.review_id}",
        )


class ReviewAnswered(Content, frozen=True, tag="review_answered"):
    """The seller answered a review."""

    title: str
    seller: str
    text: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("{seller} answered your review", seller=self.seller),
            heading=say("An answer to your review"),
            paragraphs=[
                say("{seller} answered what you wrote about {title}.",
                    seller=self.seller, title=self.title),
                say("“{text}”", text=_short(self.text)),
            ],
            action=say("See your reviews"),
            path="/account/reviews",
        )  # fmt: skip


class ReviewShown(Content, frozen=True, tag="review_shown"):
    """A review that was held or hidden is shown. `reason` may be empty."""

    title: str
    reason: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        paragraphs = [say("Your review of {title} can be read by everybody now.", title=self.title)]
        if self.reason:
            paragraphs.append(say("The reason: {reason}", reason=self.reason))
        return Letter(
            subject=say("Your review of {title} is shown", title=self.title),
            heading=say("Your review is shown"),
            paragraphs=paragraphs,
            action=say("See your reviews"),
            path="/account/reviews",
        )


class ReviewHidden(Content, frozen=True, tag="review_hidden"):
    """An operator took a review out of sight: the statement of reasons to its author."""

    title: str
    reason: str

    def letter(self, say: Say, *, link: str = "") -> Letter:
        return Letter(
            subject=say("Your review of {title} was hidden", title=self.title),
            heading=say("Your review was hidden"),
            paragraphs=[
                say(
                    "A member of our staff took your review of {title} out of sight, because it"
                    " goes against our content guidelines.",
                    title=self.title,
                ),
                say("The reason: {reason}", reason=self.reason),
                say(
                    "It no longer counts in the stars. You can change it, and it will be looked at"
                    " again; or answer this mail if you think that this is a mistake."
                ),
            ],
            action=say("Change the review"),
            path="/account/reviews",
        )
