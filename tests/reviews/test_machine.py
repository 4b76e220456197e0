"""Whatever is done to reviews in whatever order, every rating equals its published reviews."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from souk.contexts.reviews import api
from souk.kernel.errors import DomainError
from souk.kernel.ids import uuid7
from souk.platform.database import Database
from tests.reviews.factories import MODERATOR, person, purchase, rating

TEXTS = ("Good.", "See www.x.example", "Fuck this.", "")
Steps = list[tuple[str, int, int, int]]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["write", "edit", "delete", "hide", "publish", "report", "vote"]),
        st.integers(0, 5),
        st.integers(1, 5),
        st.integers(0, len(TEXTS) - 1),
    ),
    min_size=1,
    max_size=25,
)


class Shelf:
    """Six buyers of one listing, and what a plain model thinks of their reviews."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.subject, seller = uuid7(), uuid7()
        self.authors = [person() for _ in range(6)]
        self.bought = [
            purchase(one, subject_id=self.subject, seller_id=seller) for one in self.authors
        ]
        self.model: dict[int, api.Review] = {}

    async def step(self, what: str, who: int, stars: int, text: int) -> None:
        act: Callable[[], Awaitable[api.Review | None]] = {
            "write": lambda: self._write(who, stars, TEXTS[text]),
            "edit": lambda: self._edit(who, stars, TEXTS[text]),
            "delete": lambda: self._delete(who),
            "hide": lambda: self._decide(who, hide=True),
            "publish": lambda: self._decide(who, hide=False),
            "report": lambda: self._report(who),
            "vote": lambda: self._vote(who),
        }[what]
        try:
            found = await act()
        except (DomainError, KeyError):
            return
        if found is None:
            self.model.pop(who, None)
        else:
            self.model[who] = found

    async def _write(self, who: int, stars: int, text: str) -> api.Review:
        author, bought = self.authors[who], self.bought[who]
        return await self.db.transact(
            lambda tx: api.write(tx, author, purchase=bought, stars=stars, text=text)
        )

    async def _edit(self, who: int, stars: int, text: str) -> api.Review:
        author, review_id = self.authors[who], self.model[who].id

        async def work(tx):
            locked = await api.lock_own(tx, review_id=review_id, user_id=author.user_id, guest=None)
            return await api.edit(tx, author, review=locked, stars=stars, text=text)

        return await self.db.transact(work)

    async def _delete(self, who: int) -> None:
        author, review_id = self.authors[who], self.model[who].id

        async def work(tx):
            locked = await api.lock_own(tx, review_id=review_id, user_id=author.user_id, guest=None)
            await api.delete(tx, author, review=locked)

        await self.db.transact(work)

    async def _decide(self, who: int, *, hide: bool) -> api.Review:
        review_id = self.model[who].id
        if hide:
            return await self.db.transact(
                lambda tx: api.hide(tx, MODERATOR, review_id=review_id, reason="A reason.")
            )
        return await self.db.transact(lambda tx: api.publish(tx, MODERATOR, review_id=review_id))

    async def _report(self, who: int) -> api.Review:
        found = self.model[who]
        reporter = self.authors[(who + 1) % 6]
        await self.db.transact(
            lambda tx: api.report(
                tx, reporter, review_id=found.id, reason=api.ReportReason.OTHER, note=""
            )
        )
        return found

    async def _vote(self, who: int) -> api.Review:
        found = self.model[who]
        voter = self.authors[(who + 1) % 6]
        await self.db.transact(lambda tx: api.vote(tx, voter, review_id=found.id, helpful=True))
        return found

    async def check(self) -> None:
        shown = [one.stars for one in self.model.values() if one.state is api.State.PUBLISHED]
        assert await rating(self.db, self.subject) == (sum(shown), len(shown))
        async with self.db.read() as conn:
            assert await api.violations(conn) == []


async def test_ratings_equal_the_model(db: Database) -> None:
    loop = asyncio.get_running_loop()

    @settings(
        max_examples=30, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(steps=STEPS)
    def run(steps: Steps) -> None:
        async def play() -> None:
            shelf = Shelf(db)
            for step in steps:
                await shelf.step(*step)
            await shelf.check()

        asyncio.run_coroutine_threadsafe(play(), loop).result(120)

    await asyncio.to_thread(run)


@pytest.mark.parametrize("seed", range(3))
async def test_ratings_stay_right_when_all_happens_at_once(db: Database, seed: int) -> None:
    rng = random.Random(seed)
    shelf = Shelf(db)

    async def one(who: int) -> None:
        for _ in range(8):
            what = rng.choice(["write", "write", "edit", "delete", "hide", "publish", "vote"])
            await shelf.step(what, who, rng.randint(1, 5), rng.randrange(len(TEXTS)))

    await asyncio.gather(*(one(who) for who in range(6)))
    await shelf.check()
