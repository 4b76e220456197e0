"""Three months of trade: orders in every state, declined cards, open checkouts, full carts.

A timeline holds what people do at their time. What would lie in the future has not happened yet,
which is how orders come to stand in every state.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from souk.contexts.inventory import api as inventory
from souk.contexts.ledger import api as ledger
from souk.contexts.orders import api as orders
from souk.demo.catalogue import SEED
from souk.demo.fill_goods import Made
from souk.demo.fill_people import address_of
from souk.demo.fill_steps import Fate, Part, next_step
from souk.demo.fill_world import HISTORY, Person, World
from souk.demo.model import BuyerSpec
from souk.flows.cart import flow as cart
from souk.flows.checkout import complete, expire, flow, jobs, pay
from souk.flows.fulfil_order import jobs as fulfilment_jobs
from souk.kernel.actor import GUEST, Actor
from souk.kernel.ids import fingerprint
from souk.platform.http.holder import Holder
from souk.platform.upkeep import seal_audit

Action = Callable[[], Awaitable[None]]
_DAY = timedelta(days=1)
_CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_mastercard", "pm_card_amex")
_DECLINED = ("pm_card_declined", "pm_card_declined_insufficient_funds",
             "pm_card_declined_expired_card", "pm_card_declined_incorrect_cvc")  # fmt: skip
# Days ago → how the order goes: so that even the smallest demo has one in every state.
_SHOWN = (
    (40.0, Fate.KEPT), (30.0, Fate.CANCELLED), (26.0, Fate.RETURNED), (9.0, Fate.RETURNED_LATE),
    (6.0, Fate.KEPT_QUIETLY), (2.5, Fate.SLOWLY_SENT), (1.2, Fate.SLOWLY_TAKEN), (0.1, Fate.NEW),
)  # fmt: skip
_KEEP_LEFT = 2


class _Plan(msgspec.Struct, frozen=True):
    """An order to be placed at `at`; `seed` decides what it holds, `shipped` that it is goods."""

    at: datetime
    fate: Fate
    seed: int
    shipped: bool = False


class Timeline:
    """What happens when. Two things at one time happen in the order in which they were planned."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._heap: list[tuple[datetime, int, Action]] = []
        self._places = itertools.count()

    def at(self, when: datetime, action: Action) -> None:
        """Plan an action; one that lies beyond the present never happens."""
        if when <= self._world.present:
            heapq.heappush(self._heap, (when, next(self._places), action))

    async def run(self) -> None:
        """Let everything happen, with the world's clock set to its time."""
        while self._heap:
            when, _, action = heapq.heappop(self._heap)
            if when > self._world.clock.now():
                self._world.clock.set(when)
            await action()


class Trade:
    """Buyers and sellers at work."""

    def __init__(self, world: World, offered: Sequence[Made], stock: dict[UUID, int]) -> None:
        self.world = world
        self.timeline = Timeline(world)
        self._offered = [made for made in offered if made.variant_ids]
        self._stock = stock
        self._owners = {shop.seller_id: shop for shop in world.shops.values()}
        self._bought: set[tuple[str, UUID]] = set()
        self.placed = 0

    # -- buying

    def basket(self, rng: random.Random, email: str, *, shipped: bool = False) -> list[flow.Item]:
        """One to four things of what is left; only such as are shipped if asked for."""
        wanted = rng.choices((1, 2, 3, 4), (40, 32, 18, 10))[0]
        chosen: list[flow.Item] = []
        for made in rng.sample(self._offered, len(self._offered)):
            variant_id = rng.choice(made.variant_ids)
            kind = made.spec.draft.kind
            if kind == "digital":
                if shipped:
                    continue
                left, most = (0 if (email, made.listing_id) in self._bought else 1), 1
            else:
                left, most = self._stock.get(variant_id, 0), 1 if kind == "secondhand" else 3
                left -= 0 if kind == "secondhand" else _KEEP_LEFT
            if left <= 0 or (kind == "secondhand" and rng.random() < 0.5):
                continue
            quantity = min(left, rng.choices((1, 2, 3), (80, 15, 5))[0], most)
            chosen.append(flow.Item(variant_id, quantity))
            if kind == "digital":
                self._bought.add((email, made.listing_id))
            else:
                self._stock[variant_id] -= quantity
            if len(chosen) == wanted:
                break
        return chosen

    async def buy(self, plan: _Plan) -> None:
        """One purchase from choosing to the paid order."""
        rng = random.Random(plan.seed)  # noqa: S311  variety, not secrets
        spec = rng.choice(self.world.demo.buyers)
        actor, holder = self._buyer(spec, guest=rng.random() < 0.1, seed=plan.seed)
        items = self.basket(rng, spec.email, shipped=plan.shipped)
        view = await self._check_out(spec, holder, items, by_cart=rng.random() < 0.4)
        card = rng.choice(_CARDS)
        if rng.random() < 0.09:
            await self._pay(actor, holder, view.id, rng.choice(_DECLINED))
        settled = await self._pay(actor, holder, view.id, card)
        if settled.order_id is None:
            raise RuntimeError(f"The sandbox did not take {card} for checkout {view.id}.")
        self.placed += 1
        async with self.world.db.read() as conn:
            order = await orders.order(conn, settled.order_id, any_holder=True)
        for place, seller_order in enumerate(order.seller_orders):
            owner = self._owners[seller_order.seller_id]
            part = Part(
                id=seller_order.id,
                seller=owner.actor(),
                seller_id=seller_order.seller_id,
                buyer=actor,
                digital=all(line.kind == "digital" for line in seller_order.lines),
                fate=plan.fate,
                seed=plan.seed + place,
            )
            self.follow(part)

    def _buyer(self, spec: BuyerSpec, *, guest: bool, seed: int) -> tuple[Actor, Holder]:
        if guest:
            return GUEST, Holder(guest=fingerprint(f"demo-guest-{seed}"))
        actor = self.world.people[spec.email].actor()
        return actor, Holder(user_id=actor.user_id)

    async def _check_out(
        self, spec: BuyerSpec, holder: Holder, items: Sequence[flow.Item], *, by_cart: bool
    ) -> flow.CheckoutView:
        settings = self.world.services.settings
        if by_cart:
            await self.fill_cart(holder, items)
        address = address_of(spec)
        parts = flow.Parts(email=spec.email, shipping_address=address, billing_address=address)
        return await self.world.db.transact(
            lambda tx: flow.open_checkout(
                tx, holder, items=None if by_cart else items, parts=parts, settings=settings
            )
        )

    async def fill_cart(self, holder: Holder, items: Sequence[flow.Item]) -> None:
        """Put everything in, one after the other."""
        currency = self.world.services.settings.currency
        for item in items:
            await self.world.db.transact(
                lambda tx, item=item: cart.add(
                    tx, holder, variant_id=item.variant_id, quantity=item.quantity,
                    currency=currency,
                )
            )  # fmt: skip

    async def _pay(
        self, actor: Actor, holder: Holder, checkout_id: UUID, card: str
    ) -> flow.CheckoutView | complete.Settled:
        base = self.world.services.settings.base_url
        return await pay.pay(
            self.world.services,
            actor,
            holder,
            checkout_id=checkout_id,
            method_token=card,
            return_url=f"{base}/checkout/{checkout_id}",
        )

    # -- what comes after

    def follow(self, part: Part) -> None:
        """Plan the next thing that happens to a part of an order."""
        step = next_step(part)
        if step is None:
            return
        wait, act = step

        async def happen() -> None:
            going_on = await act(self.world.services)
            if going_on:
                self.follow(part)

        self.timeline.at(self.world.clock.now() + wait, happen)

    async def resume(self, plans: Sequence[_Plan]) -> int:
        """Plan what comes next for the orders of an interrupted filling; returns their number."""
        found: dict[UUID, tuple[datetime, list[tuple[UUID, Person]]]] = {}
        for owner in self.world.shops.values():
            assert owner.seller_id is not None
            cursor: str | None = None
            while True:
                async with self.world.db.read() as conn:
                    page = await orders.seller_orders(
                        conn, seller_id=owner.seller_id, cursor=cursor, limit=100
                    )
                for row in page.items:
                    _, parts = found.setdefault(row.order_id, (row.placed_at, []))
                    parts.append((row.id, owner))
                cursor = page.next_cursor
                if cursor is None:
                    break
        # Orders were placed in the order of their plans.
        for plan, (_, parts) in zip(plans, sorted(found.values(), key=_first), strict=False):
            for part_id, owner in parts:
                await self._resume_part(part_id, owner, plan)
        return len(found)

    async def _resume_part(self, part_id: UUID, owner: Person, plan: _Plan) -> None:
        assert owner.seller_id is not None
        async with self.world.db.read() as conn:
            view = await orders.seller_order(conn, part_id)
        buyer = next(
            (p.actor() for p in self.world.people.values() if p.user_id == view.buyer_id), GUEST
        )
        digital = all(line.kind == "digital" for line in view.lines)
        last = max([view.placed_at, *(step.at for step in view.timeline)])
        part = Part(
            id=view.id, seller=owner.actor(), seller_id=owner.seller_id, buyer=buyer,
            digital=digital, fate=plan.fate, seed=plan.seed, state=view.state,
        )  # fmt: skip
        self.timeline.at(last, lambda: self._follow_later(part))

    async def _follow_later(self, part: Part) -> None:
        self.follow(part)

    # -- the present

    async def unfinished(self) -> None:
        """What people are in the middle of: carts, checkouts, a declined card, a bank's page."""
        rng = random.Random(SEED + 1)  # noqa: S311
        specs = rng.sample(self.world.demo.buyers, 24)
        for place, spec in enumerate(specs):
            actor, holder = self._buyer(spec, guest=False, seed=place)
            items = self.basket(rng, spec.email)
            if place < 14:
                await self.fill_cart(holder, items)
                continue
            view = await self._check_out(spec, holder, items, by_cart=False)
            if place >= 22:
                await self._pay(actor, holder, view.id, "pm_card_3ds")
            elif place >= 18:
                await self._pay(actor, holder, view.id, rng.choice(_DECLINED))

    async def end_of_day(self) -> None:
        """The schedules that a worker would have run: events, refunds, expiry, releases."""
        services = self.world.services
        await self.world.relay.drain()
        await jobs.send_refunds(services)
        await expire.expire_due(services)
        await fulfilment_jobs.complete_due(services)
        while await self.world.db.transact(lambda tx: ledger.release_due(tx, tx.clock.now())):
            continue
        await self.world.relay.drain()

    async def end_of_week(self) -> None:
        """Mails of the week with its dates, and the seals of the audit log."""
        await self.world.run_jobs()
        await seal_audit(self.world.services)


def _first(found: tuple[datetime, object]) -> datetime:
    return found[0]


def _plans(world: World, count: int) -> list[_Plan]:
    """When orders come in: few at first, more lately, and the shown states among them."""
    rng = random.Random(SEED)  # noqa: S311
    shown = _SHOWN[:count]
    plans = [
        _Plan(world.present - days * _DAY, fate, SEED + place, shipped=True)
        for place, (days, fate) in enumerate(shown)
    ]
    fates = [Fate.KEPT, Fate.KEPT_QUIETLY, Fate.CANCELLED, Fate.RETURNED, Fate.SLOWLY_SENT]
    days = HISTORY / _DAY
    for place in range(len(plans), count):
        ago = days * (1 - rng.random() ** 0.6)
        fate = rng.choices(fates, (34, 48, 6, 5, 7))[0]
        plans.append(_Plan(world.present - ago * _DAY, fate, SEED + 10 * place))
    return sorted(plans, key=lambda plan: plan.at)


async def trade(world: World, offered: Sequence[Made], *, orders: int) -> None:
    """Place `orders` orders and let everything happen that follows from them until now."""
    ids = [variant_id for made in offered for variant_id in made.variant_ids]
    async with world.db.read() as conn:
        stock = await inventory.availability(conn, ids)
    left = {key: level.available for key, level in stock.items() if level.tracked}
    at_work = Trade(world, offered, left)
    begin = world.present - HISTORY
    world.clock.set(max(world.clock.now(), begin))
    plans = _plans(world, orders)
    done = await at_work.resume(plans)
    for plan in plans[done:]:

        async def place(plan: _Plan = plan) -> None:
            await at_work.buy(plan)
            world.report("orders", done + at_work.placed, orders)

        at_work.timeline.at(plan.at, place)
    for day in range(1, HISTORY // _DAY + 1):
        at_work.timeline.at(begin + day * _DAY, at_work.end_of_day)
        if day % 7 == 0:
            at_work.timeline.at(begin + day * _DAY, at_work.end_of_week)
    await at_work.timeline.run()
    world.clock.set(world.present)
    await at_work.unfinished()
    world.report("orders", orders, orders)
