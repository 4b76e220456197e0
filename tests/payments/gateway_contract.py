"""What every gateway adapter must do. Subclass `GatewayContract` and give it three fixtures."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Protocol

import pytest

from souk.contexts.payments.api import (
    ChargeOrder,
    GatewayPort,
    OutcomeKind,
    PayoutOrder,
    RefundOrder,
    RefundState,
    SignatureRefused,
    WebhookUnreadable,
)
from souk.kernel.ids import uuid7


class Rehearsal(Protocol):
    """What a test needs to know of a gateway's test mode."""

    success: str
    declined: tuple[str, str]
    """A token, and the decline code that it must give."""
    challenge: str
    good_account: str
    bad_account: str
    currency: str

    async def answer_challenge(self, url: str, *, approve: bool) -> None: ...

    async def later(self) -> None:
        """Let the time pass that payouts need."""
        ...

    def signed(
        self, payload: bytes, *, at: datetime, secret: str | None = None
    ) -> dict[str, str]: ...

    def captured_event(self, order: ChargeOrder) -> bytes: ...


class GatewayContract:
    """Run against a real gateway's test mode, or the sandbox."""

    def order(self, rehearsal: Rehearsal, token: str | None, amount: int = 1_999) -> ChargeOrder:
        return ChargeOrder(
            payment_id=uuid7(),
            gateway="any",
            amount=amount,
            currency=rehearsal.currency,
            token=token,
            return_url="http://shop.example/back",
        )

    async def test_a_charge_is_captured_once(
        self, gateway: GatewayPort, rehearsal: Rehearsal
    ) -> None:
        order = self.order(rehearsal, rehearsal.success)
        first = await gateway.charge(order)
        assert (first.kind, first.amount, first.currency) == (
            OutcomeKind.CAPTURED, 1_999, rehearsal.currency,
        )  # fmt: skip
        assert first.gateway_ref
        assert await gateway.charge(order) == first

    async def test_a_charge_can_be_found_without_its_reference(
        self, gateway: GatewayPort, rehearsal: Rehearsal
    ) -> None:
        order = self.order(rehearsal, rehearsal.success)
        assert await gateway.find(order) is None
        charged = await gateway.charge(order)
        assert await gateway.find(order) == charged

    async def test_a_decline_says_why(self, gateway: GatewayPort, rehearsal: Rehearsal) -> None:
        token, code = rehearsal.declined
        outcome = await gateway.charge(self.order(rehearsal, token))
        assert (outcome.kind, outcome.decline_code) == (OutcomeKind.DECLINED, code)
        assert outcome.amount == 0

    async def test_an_unknown_token_is_a_decline(
        self, gateway: GatewayPort, rehearsal: Rehearsal
    ) -> None:
        outcome = await gateway.charge(self.order(rehearsal, "pm_not_there"))
        assert outcome.kind == OutcomeKind.DECLINED

    @pytest.mark.parametrize("approve", [True, False])
    async def test_a_challenge_is_answered(
        self, gateway: GatewayPort, rehearsal: Rehearsal, approve: bool
    ) -> None:
        order = self.order(rehearsal, rehearsal.challenge)
        asked = await gateway.charge(order)
        assert asked.kind == OutcomeKind.REQUIRES_ACTION
        assert asked.action_url
        await rehearsal.answer_challenge(asked.action_url, approve=approve)
        found = await gateway.find(order)
        assert found is not None
        assert found.kind == (OutcomeKind.CAPTURED if approve else OutcomeKind.DECLINED)

    async def test_without_a_token_the_buyer_is_sent_to_the_card_page(
        self, gateway: GatewayPort, rehearsal: Rehearsal
    ) -> None:
        outcome = await gateway.charge(self.order(rehearsal, None))
        assert outcome.kind == OutcomeKind.REQUIRES_ACTION
        assert outcome.action_url

    async def test_cancelling_is_final(self, gateway: GatewayPort, rehearsal: Rehearsal) -> None:
        order = self.order(rehearsal, rehearsal.challenge)
        asked = await gateway.charge(order)
        assert (await gateway.cancel(order)).kind == OutcomeKind.CANCELLED
        assert (await gateway.cancel(order)).kind == OutcomeKind.CANCELLED
        assert asked.action_url
        await rehearsal.answer_challenge(asked.action_url, approve=True)
        found = await gateway.find(order)
        assert found is not None
        assert found.kind == OutcomeKind.CANCELLED

    async def test_cancelling_what_was_captured_says_so(
        self, gateway: GatewayPort, rehearsal: Rehearsal
    ) -> None:
        order = self.order(rehearsal, rehearsal.success)
        await gateway.charge(order)
        assert (await gateway.cancel(order)).kind == OutcomeKind.CAPTURED

    async def test_a_charge_that_arrives_after_its_cancellation_takes_nothing(
        self, gateway: GatewayPort, rehearsal: Rehearsal
    ) -> None:
        order = self.order(rehearsal, rehearsal.success)
        assert (await gateway.cancel(order)).kind == OutcomeKind.CANCELLED
        late = await gateway.charge(order)
        assert (late.kind, late.amount) == (OutcomeKind.CANCELLED, 0)

    async def test_refunds_in_parts_up_to_the_whole(
        self, gateway: GatewayPort, rehearsal: Rehearsal
    ) -> None:
        order = self.order(rehearsal, rehearsal.success)
        charged = await gateway.charge(order)
        assert charged.gateway_ref

        def part(amount: int) -> RefundOrder:
            return RefundOrder(
                refund_id=uuid7(),
                payment_id=order.payment_id,
                gateway="any",
                payment_ref=charged.gateway_ref or "",
                amount=amount,
                currency=order.currency,
                reason="returned",
            )

        first = part(1_000)
        assert await gateway.find_refund(first) is None
        done = await gateway.refund(first)
        assert done.state == RefundState.SUCCEEDED
        assert await gateway.refund(first) == done
        assert await gateway.find_refund(first) == done
        assert (await gateway.refund(part(999))).state == RefundState.SUCCEEDED
        assert (await gateway.refund(part(1))).state == RefundState.FAILED

    @pytest.mark.parametrize("good", [True, False])
    async def test_payouts_end(
        self, gateway: GatewayPort, rehearsal: Rehearsal, good: bool
    ) -> None:
        order = PayoutOrder(
            payout_id=uuid7(),
            gateway="any",
            amount=777,
            currency=rehearsal.currency,
            destination=rehearsal.good_account if good else rehearsal.bad_account,
        )
        assert await gateway.payout_status(order) is None
        sent = await gateway.payout(order)
        assert sent.state == "in_transit"
        assert await gateway.payout(order) == sent
        await rehearsal.later()
        ended = await gateway.payout_status(order)
        assert ended is not None
        assert ended.state == ("paid" if good else "failed")
        assert bool(ended.failure_code) is not good

    async def test_statements_hold_our_charges_and_add_up(
        self, gateway: GatewayPort, rehearsal: Rehearsal
    ) -> None:
        order = self.order(rehearsal, rehearsal.success)
        await gateway.charge(order)
        statements = await gateway.settlements(date(2020, 1, 1))
        lines = [line for one in statements for line in one.lines]
        mine = [line for line in lines if line.reference == str(order.payment_id)]
        assert [(line.kind, line.amount) for line in mine] == [("charge", 1_999)]
        for one in statements:
            assert one.net == sum(line.amount - line.fee for line in one.lines)
            assert one.fees == sum(line.fee for line in one.lines)

    def test_a_signed_webhook_is_read(self, gateway: GatewayPort, rehearsal: Rehearsal) -> None:
        order = self.order(rehearsal, rehearsal.success)
        raw = rehearsal.captured_event(order)
        now = datetime.now(UTC)
        fact = gateway.verify(rehearsal.signed(raw, at=now), raw, now=now)
        assert (fact.kind, fact.payment_id) == ("payment", order.payment_id)
        assert fact.outcome is not None
        assert (fact.outcome.kind, fact.outcome.amount) == (OutcomeKind.CAPTURED, 1_999)

    def test_forged_changed_old_and_bare_webhooks_are_refused(
        self, gateway: GatewayPort, rehearsal: Rehearsal
    ) -> None:
        raw = rehearsal.captured_event(self.order(rehearsal, rehearsal.success))
        now = datetime.now(UTC)
        good = rehearsal.signed(raw, at=now)
        for headers, body in (
            (rehearsal.signed(raw, at=now, secret="another"), raw),
            (good, raw.replace(b"1999", b"9999")),
            (rehearsal.signed(raw, at=now - timedelta(hours=1)), raw),
            (rehearsal.signed(raw, at=now + timedelta(hours=1)), raw),
            ({}, raw),
            (dict.fromkeys(good, "nonsense"), raw),
        ):
            with pytest.raises(SignatureRefused):
                gateway.verify(headers, body, now=now)

    @pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'{"id":1}', b"\xff\x00"])
    def test_a_signed_body_that_is_no_event_is_refused(
        self, gateway: GatewayPort, rehearsal: Rehearsal, raw: bytes
    ) -> None:
        now = datetime.now(UTC)
        with pytest.raises(WebhookUnreadable):
            gateway.verify(rehearsal.signed(raw, at=now), raw, now=now)
