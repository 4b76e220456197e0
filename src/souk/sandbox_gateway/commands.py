"""Everything that can be asked of the provider, one method for each request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from souk.platform.database import Database, WriteTx
from souk.sandbox_gateway import model, store, wire
from souk.sandbox_gateway.announce import announcements
from souk.sandbox_gateway.cards import (
    BY_NUMBER,
    BY_TOKEN,
    FAULTS,
    PLAIN,
    Behaviour,
    behaviour,
    luhn_valid,
)
from souk.sandbox_gateway.config import SandboxSettings
from souk.sandbox_gateway.model import Change, Intent, PaymentMethod, Refused
from souk.sandbox_gateway.store import Answer

encode = msgspec.json.Encoder().encode
KEPT_METHODS = 10_000


@dataclass(frozen=True, slots=True)
class Call:
    """What a request carries beside its body."""

    key: str | None = None
    digest: bytes = b""
    faults: tuple[str, ...] = ()


def faults_from_header(value: str | None) -> tuple[str, ...]:
    """The names in a `Sandbox-Fault` header; an unknown one is an error that lists them all."""
    names = tuple(name.strip() for name in value.split(",")) if value else ()
    for name in names:
        if name not in FAULTS:
            raise Refused(
                400, "invalid_request_error", "unknown_fault",
                f"{name[:60]!r} is not a fault. Use one of: {', '.join(FAULTS)}.",
            )  # fmt: skip
    return names


def _absent(what: str) -> Refused:
    return Refused(404, "invalid_request_error", "resource_missing", f"No such {what}.")


class Provider:
    """The provider's whole behaviour above one database. `wake` is set when webhooks are due."""

    def __init__(self, db: Database, settings: SandboxSettings) -> None:
        self.db = db
        self.settings = settings
        self.wake = asyncio.Event()
        self._methods: dict[str, PaymentMethod] = {}

    # -- payment methods

    async def method(self, token: str) -> PaymentMethod:
        """A test token, or one made by the card form. Made ones never change, so they are kept."""
        card = BY_TOKEN.get(token)
        if card is not None:
            return PaymentMethod(
                id=token, brand=card.brand, last4=card.last4, faults=card.faults,
                exp_month=12, exp_year=2040,
            )  # fmt: skip
        known = self._methods.get(token)
        if known is None:
            async with self.db.read() as conn:
                known = await store.find_method(conn, token)
            if known is None:
                raise _absent("payment method")
            if len(self._methods) >= KEPT_METHODS:
                self._methods.clear()
            self._methods[token] = known
        return known

    async def create_method(self, data: wire.CreatePaymentMethod) -> PaymentMethod:
        """A token for a test card. Refuses every other number: nobody's real card belongs here."""
        number = "".join(char for char in data.number if char not in " -")
        if not (number.isascii() and number.isdigit() and 12 <= len(number) <= 19):
            raise _card_error("invalid_number", "That is not a card number. Check the digits.")
        if not luhn_valid(number):
            raise _card_error("incorrect_number", "The card number has a typing mistake in it.")
        card = BY_NUMBER.get(number)
        if card is None:
            raise _card_error(
                "test_card_required",
                "This is a rehearsal: only the listed test cards work. Never enter a real one.",
            )
        now = self.db.clock.now()
        if (data.exp_year, data.exp_month) < (now.year, now.month):
            raise _card_error("invalid_expiry", "That expiry date has passed. Use a later one.")
        made = PaymentMethod(
            id=model.new_id("pm"), brand=card.brand, last4=card.last4, faults=card.faults,
            exp_month=data.exp_month, exp_year=data.exp_year,
        )  # fmt: skip
        await self.db.transact(lambda tx: store.add_method(tx, made))
        return made

    # -- intents

    async def create_intent(self, call: Call, data: wire.CreateIntent) -> Answer:
        """Make an intent and, when asked, try its card in the same statement."""
        method = await self.method(data.payment_method) if data.payment_method else None
        if data.confirm and method is None:
            raise Refused(
                400, "invalid_request_error", "parameter_missing",
                "Confirming needs a payment_method.",
            )  # fmt: skip
        chosen = (
            behaviour(method.faults, amount=data.amount, asked=call.faults)
            if data.confirm and method
            else behaviour((), asked=call.faults)
        )

        async def run(tx: WriteTx) -> tuple[Answer, bool]:
            intent = _new_intent(data, call, tx.clock.now())
            if data.confirm and method:
                intent.faults = [*method.faults, *call.faults]
                change = model.confirm(intent, method, chosen, intent.created_at, self.settings)
            else:
                change = Change(intent=intent)
            return await self._commit(tx, call, change, self._intent_answer(intent))

        return await self._perform(call, chosen, run, alone=True)

    async def confirm_intent(self, call: Call, intent_id: str, data: wire.ConfirmIntent) -> Answer:
        """Try a card on an intent that waits for one."""
        found = await self.find_intent(intent_id)
        token = data.payment_method or found.payment_method
        if token is None:
            raise Refused(
                400, "invalid_request_error", "parameter_missing",
                "Confirming needs a payment_method.",
            )  # fmt: skip
        method = await self.method(token)
        chosen = behaviour(method.faults, amount=found.amount, asked=call.faults)

        def work(intent: Intent, now: datetime) -> Change:
            intent.faults = [*method.faults, *call.faults]
            return model.confirm(intent, method, chosen, now, self.settings)

        return await self._change(call, intent_id, chosen, work)

    async def authenticate(self, intent_id: str, *, approved: bool) -> Answer:
        """The buyer's answer on the 3-D Secure page."""

        def work(intent: Intent, now: datetime) -> Change:
            chosen = behaviour(intent.faults, amount=intent.amount)
            return model.authenticate(intent, chosen, now, approved=approved)

        return await self._change(Call(), intent_id, PLAIN, work)

    async def capture_intent(self, call: Call, intent_id: str, data: wire.CaptureIntent) -> Answer:
        return await self._change(
            call,
            intent_id,
            behaviour((), asked=call.faults),
            lambda intent, now: model.capture(intent, data.amount, now),
        )

    async def cancel_intent(self, call: Call, intent_id: str) -> Answer:
        return await self._change(call, intent_id, behaviour((), asked=call.faults), model.cancel)

    async def create_refund(self, call: Call, data: wire.CreateRefund) -> Answer:
        chosen = behaviour((), asked=call.faults)

        def work(intent: Intent, now: datetime) -> Change:
            of_card = behaviour(intent.faults, amount=intent.amount).refund_fails
            return model.refund(
                intent,
                msgspec.structs.replace(chosen, refund_fails=chosen.refund_fails or of_card),
                now,
                amount=data.amount,
                reason=data.reason,
                reference=data.reference,
            )

        return await self._change(call, data.payment_intent, chosen, work)

    async def create_payout(self, call: Call, data: wire.CreatePayout) -> Answer:
        chosen = behaviour((), asked=call.faults)

        async def run(tx: WriteTx) -> tuple[Answer, bool]:
            now = tx.clock.now()
            change = model.pay_out(
                amount=data.amount,
                currency=data.currency,
                destination=data.destination,
                reference=data.reference,
                now=now,
                settings=self.settings,
            )
            assert change.payout is not None
            answer = Answer(200, encode(wire.payout_wire(change.payout, now)))
            return await self._commit(tx, call, change, answer)

        return await self._perform(call, chosen, run)

    async def find_intent(self, intent_id: str) -> Intent:
        """The intent as it is now. Raises Refused with 404 when there is none."""
        async with self.db.read() as conn:
            intent = await store.find_intent(conn, intent_id)
            if intent is None:
                raise _absent("payment intent")
            return model.settle(intent, conn.clock.now())

    async def intent_by_secret(self, client_secret: str) -> Intent:
        async with self.db.read() as conn:
            intent = await store.intent_by_secret(conn, client_secret)
            if intent is None:
                raise _absent("payment")
            return model.settle(intent, conn.clock.now())

    async def read_faults(self, call: Call) -> None:
        """Faults of a request that only reads: it fails, hangs or is slow, as the header says."""
        chosen = behaviour((), asked=call.faults)
        await self._before(call, chosen)
        await self._after(chosen, fresh=True)

    # -- how a request takes effect

    async def _change(
        self,
        call: Call,
        intent_id: str,
        chosen: Behaviour,
        work: Callable[[Intent, datetime], Change],
    ) -> Answer:
        async def run(tx: WriteTx) -> tuple[Answer, bool]:
            intent = await store.lock_intent(tx, intent_id)
            if intent is None:
                raise _absent("payment intent")
            # After the lock, so that of two equal requests the second finds the first's answer.
            stored = await self._replayed(tx, call)
            if stored is not None:
                return stored, False
            now = tx.clock.now()
            change = work(model.settle(intent, now), now)
            answer = (
                Answer(200, encode(wire.refund_wire(change.refund)))
                if change.refund
                else self._intent_answer(intent)
            )
            return await self._commit(tx, call, change, answer)

        return await self._perform(call, chosen, run)

    async def _perform(
        self,
        call: Call,
        chosen: Behaviour,
        run: Callable[[WriteTx], Awaitable[tuple[Answer, bool]]],
        *,
        alone: bool = False,
    ) -> Answer:
        await self._before(call, chosen)
        answer, fresh = await self.db.transact(run, alone=alone)
        self.wake.set()
        await self._after(chosen, fresh=fresh)
        return answer

    async def _before(self, call: Call, chosen: Behaviour) -> None:
        if chosen.answer == "error_always":
            raise _broken()
        if chosen.answer == "error_once":
            key = call.key or call.digest.hex()
            if await self.db.transact(lambda tx: store.first_time(tx, key)):
                raise _broken()

    async def _after(self, chosen: Behaviour, *, fresh: bool) -> None:
        if chosen.answer == "timeout_always" or (
            chosen.answer == "timeout_after_success" and fresh
        ):
            await asyncio.sleep(self.settings.hang_seconds)
        elif chosen.answer == "slow" and fresh:
            await asyncio.sleep(self.settings.slow_seconds)

    async def _replayed(self, tx: WriteTx, call: Call) -> Answer | None:
        stored = await store.replay(tx, call.key)
        if stored is None:
            return None
        if stored.digest != call.digest:
            raise Refused(
                400, "idempotency_error", "idempotency_key_in_use",
                "This Idempotency-Key was used with another request. Use a new one.",
            )  # fmt: skip
        return stored.answer

    async def _commit(
        self, tx: WriteTx, call: Call, change: Change, answer: Answer
    ) -> tuple[Answer, bool]:
        events, deliveries = announcements(change, self.settings)
        fresh = await store.save(
            tx,
            key=call.key,
            digest=call.digest,
            answer=answer,
            intent=change.intent,
            events=events,
            deliveries=deliveries,
            balance=change.balance,
        )
        if not fresh:
            stored = await self._replayed(tx, call)
            assert stored is not None
            return stored, False
        if change.refund:
            await store.add_refund(tx, change.refund)
        if change.payout:
            await store.add_payout(tx, change.payout)
        return answer, True

    def _intent_answer(self, intent: Intent) -> Answer:
        seen = wire.intent_wire(intent, self.settings.public_url)
        if intent.status == "requires_payment_method" and intent.error_code is not None:
            error = Refused(
                402, "card_error", intent.error_code, intent.error_message or "", intent
            )
            return Answer(402, error_body(error, self.settings.public_url))
        return Answer(200, encode(seen))


def _broken() -> Refused:
    return Refused(500, "api_error", "internal_error", "Something went wrong on our side.")


def _card_error(code: str, message: str) -> Refused:
    return Refused(402, "card_error", code, message)


class _ErrorBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    type: str
    code: str
    message: str
    decline_code: str | None = None
    payment_intent: wire.IntentWire | None = None


def error_body(error: Refused, public_url: str) -> bytes:
    """`{"error": {...}}`, with the intent when one is concerned."""
    intent = error.intent
    return encode(
        {
            "error": _ErrorBody(
                type=error.kind,
                code=error.code,
                message=error.message,
                decline_code=intent.decline_code if intent else None,
                payment_intent=wire.intent_wire(intent, public_url) if intent else None,
            )
        }
    )


def _new_intent(data: wire.CreateIntent, call: Call, now: datetime) -> Intent:
    intent_id = model.new_id("pi")
    return Intent(
        id=intent_id,
        client_secret=f"{intent_id}_{model.new_id('secret')}",
        amount=data.amount,
        currency=data.currency,
        status="requires_payment_method",
        capture_method=data.capture_method,
        hosted=data.hosted,
        amount_captured=0,
        amount_refunded=0,
        payment_method=data.payment_method,
        brand=None,
        last4=None,
        faults=list(call.faults),
        return_url=data.return_url,
        reference=data.reference,
        metadata=data.metadata,
        error_code=None,
        decline_code=None,
        error_message=None,
        settle_at=None,
        created_at=now,
        updated_at=now,
    )
