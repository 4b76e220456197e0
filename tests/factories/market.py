"""The whole marketplace for tests: the composed application on a real database, with the real
sandbox gateway on a socket. Webhooks are collected, and delivered when a test says so."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from litestar import Litestar, Request, Response, post

from souk import app as composition
from souk.contexts.identity import api as identity
from souk.contexts.inventory import api as inventory
from souk.contexts.ledger import api as ledger
from souk.contexts.listings import api as listings
from souk.contexts.listings.domain import Listing
from souk.contexts.payments import api as payments
from souk.contexts.sellers import api as sellers
from souk.flows.seller_approval.flow import Decision, decide
from souk.flows.verify import verify
from souk.kernel.actor import Actor, Role, system
from souk.kernel.clock import SettableClock
from souk.kernel.ids import token, uuid7
from souk.platform import relay
from souk.platform.database import Database, WriteTx
from souk.platform.http import edge
from souk.platform.http.kept import KeptAnswers
from souk.platform.mail import make_mailer
from souk.platform.relay import Relay
from souk.platform.services import Services
from souk.platform.settings import Settings
from souk.platform.storage import FileStore
from souk.sandbox_gateway.app import create_app
from souk.sandbox_gateway.config import WEBHOOK_PATH, SandboxSettings
from tests.conftest import unmeasured
from tests.identity.factories import Person, make_person
from tests.listings import factories as listing_factories
from tests.payments.conftest import free_port, serve

TEST = system("test")
CONTENT = b"%PDF-1.7 a field guide\n" * 64
HOME = {
    "name": "Ada Lovelace",
    "line1": "Lindenweg 7",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
}
FLAT_DELIVERY = 490


@dataclass
class Hooks:
    """The webhooks that the sandbox posted, in the order in which they came."""

    url: str = ""
    received: list[tuple[dict[str, str], bytes]] = field(
        default_factory=list[tuple[dict[str, str], bytes]]
    )

    async def about(self, text: str, *, count: int = 1) -> list[tuple[dict[str, str], bytes]]:
        """At least `count` webhooks that mention `text`, or a failure after five seconds."""
        found: list[tuple[dict[str, str], bytes]] = []
        for _ in range(250):
            found = [one for one in self.received if text.encode() in one[1]]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.02)
        raise AssertionError(f"{len(found)} of {count} webhooks came for {text}")


class Buyer:
    """A guest, or a person with an access token, on the API."""

    def __init__(self, market: Market, *, bearer: str | None = None) -> None:
        headers = {"authorization": f"Bearer {bearer}"} if bearer else {"souk-guest": token()}
        self.market = market
        self.http = market.client(headers)

    async def add(self, listing: Listing, quantity: int = 1) -> None:
        body = {"variant_id": str(listing.variants[0].id), "quantity": quantity}
        answer = await self.http.post("/api/v1/cart/items", json=body)
        assert answer.status_code == 200, answer.text

    async def cart(self) -> dict[str, Any]:
        return (await self.http.get("/api/v1/cart")).json()

    async def checkout(self, *items: tuple[Listing, int], **parts: Any) -> dict[str, Any]:
        """A checkout that lacks nothing: of the items, or of the cart."""
        body: dict[str, Any] = {"email": "ada@buyers.test", "shipping_address": HOME} | parts
        if items:
            body["items"] = [
                {"variant_id": str(listing.variants[0].id), "quantity": quantity}
                for listing, quantity in items
            ]
        answer = await self.http.post("/api/v1/checkouts", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def pay(
        self, checkout: dict[str, Any], card: str | None = "pm_card_visa", *, key: str | None = None
    ) -> httpx.Response:
        headers = {"idempotency-key": key} if key else {}
        return await self.http.post(
            f"/api/v1/checkouts/{checkout['id']}/payment", json={"method": card}, headers=headers
        )

    async def buy(self, *items: tuple[Listing, int], **parts: Any) -> dict[str, Any]:
        """A paid order, as its buyer reads it."""
        checkout = await self.checkout(*items, **parts)
        answer = await self.pay(checkout)
        assert answer.status_code == 200, answer.text
        return await self.order(answer.json()["order_id"])

    async def order(self, order_id: str) -> dict[str, Any]:
        answer = await self.http.get(f"/api/v1/orders/{order_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def state(self, checkout: dict[str, Any]) -> dict[str, Any]:
        return (await self.http.get(f"/api/v1/checkouts/{checkout['id']}")).json()


@dataclass
class Shop:
    """An approved seller with its owner."""

    market: Market
    seller_id: UUID
    owner: Person
    actor: Actor
    http: httpx.AsyncClient

    async def goods(self, *, price: int = 2_000, stock: int | None = 10, **more: Any) -> Listing:
        """A published listing with stock."""
        db = self.market.db
        variants = more.pop("variants", [listings.VariantInput(price=price, weight_g=300)])
        listing = await listing_factories.active(db, self.actor, variants=variants, **more)
        await self._stock(listing, stock)
        return listing

    async def _stock(self, listing: Listing, stock: int | None) -> None:
        items = [
            inventory.StockSetUp(
                variant.id, listing.id, self.seller_id, stock or 0, stock is not None
            )
            for variant in listing.variants
        ]
        await self.market.db.transact(lambda tx: inventory.set_up(tx, TEST, items=items))

    async def download(self, *, price: int = 500) -> Listing:
        """A published digital listing with one stored file."""
        db = self.market.db
        category = uuid7()
        listing = await listing_factories.create(
            db,
            self.actor,
            kind=listings.Kind.DIGITAL,
            variants=[listings.VariantInput(price=price)],
            category_id=category,
            category_path=[category],
        )
        file_id = uuid7()
        key = f"digital/{file_id}"
        await self.market.services.files.put(key, CONTENT)

        async def publish(tx: WriteTx) -> None:
            await tx.execute(
                "INSERT INTO listings.digital_file (id, listing_id, key, filename, media_type,"
                " size, sha256, version, current, created_at) VALUES"
                " ($1, $2, $3, 'guide.pdf', 'application/pdf', $4, $5, 1, true, $6)",
                file_id,
                listing.id,
                key,
                len(CONTENT),
                hashlib.sha256(CONTENT).digest(),
                tx.clock.now(),
            )
            await tx.execute(
                "UPDATE listings.listing SET state = 'active', published_at = $2 WHERE id = $1",
                listing.id,
                tx.clock.now(),
            )

        await db.transact(publish)
        await self._stock(listing, None)
        return listing

    async def post(self, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        # Tests move the clock further than an access token lives.
        bearer = await self.market.bearer(self.owner.id)
        self.http.headers["authorization"] = f"Bearer {bearer}"
        return await self.http.post(f"/api/v1/seller/orders/{path}", json=body)


class Market:
    """Everything that runs, and what tests ask of it."""

    def __init__(
        self, services: Services, app: Litestar, clock: SettableClock, hooks: Hooks
    ) -> None:
        self.services = services
        self.db = services.db
        self.app = app
        self.clock = clock
        self.hooks = hooks
        kept = KeptAnswers(services.db.changes)
        self._asgi = edge.Edge(app, services.settings, kept=kept)
        self._clients: list[httpx.AsyncClient] = []

    def client(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        """A client of the application in this process; a failure inside it raises here."""
        transport = httpx.ASGITransport(self._asgi, raise_app_exceptions=True)
        made = httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8000", headers=headers, timeout=60
        )
        self._clients.append(made)
        return made

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()

    def guest(self) -> Buyer:
        return Buyer(self)

    async def member(self) -> tuple[Buyer, Person]:
        person = await make_person(self.db)
        return Buyer(self, bearer=await self.bearer(person.id)), person

    async def bearer(self, user_id: UUID) -> str:
        """An access token of a session that really exists."""

        async def open_session(tx: WriteTx) -> identity.Opened:
            proof = identity.Proof(user=await identity_user(tx, user_id), counted_under=b"test")
            return await identity.open_api_session(tx, TEST, proof=proof)

        opened = await self.db.transact(open_session)
        tokens = identity.access_tokens(self.services.settings)
        return tokens.issue(opened.user, session_id=opened.session_id, now=self.clock.now())

    async def shop(self, name: str = "Fern") -> Shop:
        """A seller who applied and was approved."""
        owner = await make_person(self.db, name=name)
        applicant = Actor(kind="user", user_id=owner.id, email_verified=True)
        application = sellers.Application(name=f"{name} {uuid7().hex[-10:]}", country="DE")

        async def open_shop(tx: WriteTx) -> sellers.Seller:
            seller = await sellers.apply(tx, applicant, application=application)
            operator = replace(TEST, user_id=uuid7())
            return await decide(
                tx, operator, seller_id=seller.id, decision=Decision.APPROVE, reason=""
            )

        seller = await self.db.transact(open_shop)
        actor = replace(
            applicant,
            seller_id=seller.id,
            roles=frozenset({Role.CUSTOMER, Role.SELLER}),
        )
        bearer = await self.bearer(owner.id)
        http = self.client({"authorization": f"Bearer {bearer}"})
        return Shop(self, seller.id, owner, actor, http)

    async def operator(self, role: Role) -> httpx.AsyncClient:
        """A member of staff with this role."""
        person = await make_person(self.db, name=role.title())
        await self.db.transact(
            lambda tx: identity.grant_role(tx, TEST, user_id=person.id, role=role)
        )
        return self.client({"authorization": f"Bearer {await self.bearer(person.id)}"})

    async def deliver(self, hooks: Iterable[tuple[dict[str, str], bytes]]) -> list[int]:
        """Post collected webhooks to the application."""
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(self._asgi), base_url="http://127.0.0.1:8000"
        ) as client:
            answers = [
                await client.post(
                    WEBHOOK_PATH,
                    content=body,
                    headers={
                        "sandbox-signature": headers["sandbox-signature"],
                        "content-type": "application/json",
                    },
                )
                for headers, body in hooks
            ]
        return [answer.status_code for answer in answers]

    async def work(self) -> None:
        """Run the jobs of stored webhooks, then deliver every event."""
        from souk.flows.checkout.jobs import act_on_webhook

        async with self.db.read() as conn:
            waiting = await payments.waiting_webhooks(conn, older_than=timedelta(0), limit=1_000)
        for webhook_id in waiting:
            await act_on_webhook(self.services, payments.WebhookJob(webhook_id))
        await self.drain()

    async def drain(self) -> None:
        await Relay(self.db, composition.event_writer()).drain()
        async with self.db.read() as conn:
            assert await relay.dead_letters(conn) == []

    async def sound(self) -> None:
        """Send the refunds that are due and drain, as schedules do; then ask every invariant."""
        from souk.flows.checkout.refunds import send_refunds

        await send_refunds(self.services)
        await self.drain()
        found = await verify.violations(self.services)
        assert found == [], found

    async def on_hand(self, listing: Listing) -> tuple[int, int]:
        """Stock on hand, and how much of it is reserved."""
        variant_id = listing.variants[0].id
        async with self.db.read() as conn:
            found = (await inventory.availability(conn, [variant_id]))[variant_id]
        return found.on_hand, found.reserved

    async def balance(self, code: str) -> int:
        """An account's balance in euro cents; credits are below zero."""
        async with self.db.read() as conn:
            return await ledger.balance_of(conn, code, "EUR")

    async def orders_of(self, checkout: dict[str, Any]) -> int:
        async with self.db.read() as conn:
            return await conn.fetchval(
                "SELECT count(*) FROM orders.purchase WHERE checkout_id = $1", UUID(checkout["id"])
            )

    async def payments_of(self, checkout: dict[str, Any]) -> Sequence[payments.PaymentView]:
        async with self.db.read() as conn:
            return await payments.attempts(conn, UUID(checkout["id"]))

    async def intents(self, *, reference: str) -> list[tuple[str, int, int]]:
        """What the sandbox itself holds of a payment: status, captured, refunded."""
        async with self.db.read() as conn:
            rows = await conn.fetch(
                "SELECT status, amount_captured, amount_refunded FROM sandbox.intent"
                " WHERE reference = $1",
                reference,
            )
        return [tuple(row.values()) for row in rows]  # type: ignore[misc]


async def identity_user(tx: WriteTx, user_id: UUID) -> identity.User:
    from souk.contexts.identity import store

    return await store.load_user(tx, user_id)


@asynccontextmanager
async def running(
    url: str,
    *,
    clock: SettableClock,
    pool: int = 20,
    gateway_timeout: float = 1.5,
    **changes: Any,
) -> AsyncIterator[Market]:
    """The marketplace on the database at `url`; the time-out is in seconds."""
    folder = Path(tempfile.mkdtemp(prefix="souk-test-"))
    port = free_port()
    hooks = Hooks()
    settings = Settings(
        environment="test",
        data_dir=folder,
        database_url=url,
        secret_key="a-test-secret-key-of-more-than-32-characters",
        sandbox_url=f"http://127.0.0.1:{port}",
        rate_limit_factor=100_000.0,
        **changes,
    )

    @post("/hook")
    async def hook(request: Request[object, object, object]) -> Response[None]:
        hooks.received.append((dict(request.headers), await request.body()))
        return Response(None, status_code=200)

    async with AsyncExitStack() as stack:
        db = await Database.connect(
            url, clock=clock, size=pool, writer=composition.event_writer(), lock_timeout_ms=20_000,
            statement_timeout_ms=30_000, turn_timeout_ms=60_000,
        )  # fmt: skip
        stack.push_async_callback(db.close)
        listener = serve(Litestar([hook], openapi_config=None), free_port())
        hooks.url = await anext(listener)
        stack.push_async_callback(listener.aclose)
        sandbox_settings = SandboxSettings(
            api_key=settings.sandbox_api_key,
            webhook_secret=settings.sandbox_webhook_secret,
            webhook_url=f"{hooks.url}/hook",
            public_url=settings.sandbox_url,
            hang_seconds=2.5,
            slow_seconds=0.3,
            processing_seconds=0.2,
            first_retry_seconds=0.0,
        )
        sandbox = serve(create_app(sandbox_settings, db), port)
        await anext(sandbox)
        stack.push_async_callback(sandbox.aclose)
        files = FileStore.in_folder(folder / "files")
        built = Services(settings, db, files, make_mailer(settings, db), clock)
        gateways = payments.Gateways(
            [
                payments.SandboxGateway(
                    url=settings.sandbox_url,
                    api_key=settings.sandbox_api_key,
                    webhook_secret=settings.sandbox_webhook_secret,
                    timeout=gateway_timeout,
                )
            ],
            retry=payments.RetryPolicy(attempts=2, first_pause=timedelta(milliseconds=10)),
        )
        stack.push_async_callback(gateways.close)
        built.add(gateways)
        from souk.contexts.search import api as search

        engine = search.open_engine(settings.index_dir, writer=True)
        stack.callback(engine.close)
        built.add(engine, as_type=search.SearchEngine)
        with unmeasured():
            app = composition.build_app(built)
        market = Market(built, app, clock, hooks)
        stack.push_async_callback(market.close)
        yield market
