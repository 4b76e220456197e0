"""The facade of `payments`.

A purchase: `start` in the flow's transaction → commit → `execute` → a second transaction with
`lock` and `record`. Webhooks and the sweeper end in the same `record`, in any order and as often as
they like.
"""

from __future__ import annotations

from souk.contexts.payments import check_queries as checks
from souk.contexts.payments import desk_queries as desk
from souk.contexts.payments.adapters.sandbox import SandboxGateway
from souk.contexts.payments.commands import (
    WEBHOOK_JOB,
    WebhookJob,
    lock,
    mark_processed,
    record,
    record_refund,
    replay_webhooks,
    request_refund,
    set_aside,
    start,
    store_webhook,
)
from souk.contexts.payments.domain import (
    ENDED_WITHOUT_MONEY,
    MAX_AMOUNT,
    UNDER_WAY,
    GatewayOutcome,
    OutcomeKind,
    Payment,
    PaymentMethod,
    PaymentState,
    RefundOutcome,
    RefundState,
)
from souk.contexts.payments.errors import (
    AmountMismatch,
    ForeignOutcome,
    PaymentInProgress,
    PaymentNotFound,
    RefundKeyReused,
    RefundNotFailed,
    RefundNotFound,
    RefundTooLarge,
    SignatureRefused,
    UnknownGateway,
    WebhookUnreadable,
)
from souk.contexts.payments.execution import (
    cancel,
    capture,
    execute,
    execute_refund,
    resolve,
    take_held,
)
from souk.contexts.payments.gateways import Gateways, RetryPolicy
from souk.contexts.payments.ports import (
    ChargeOrder,
    GatewayPort,
    GatewayRefused,
    GatewayUnreachable,
    PayoutOrder,
    PayoutOutcome,
    RefundOrder,
    SettlementLine,
    SettlementStatement,
    WebhookFact,
)
from souk.contexts.payments.queries import (
    InboxEntry,
    PaymentStep,
    PaymentView,
    RefundView,
    attempts,
    find,
    find_refund,
    for_checkouts,
    history,
    inbox,
    of_checkout,
    pending_refunds,
    refunds_of,
    stale,
    stuck,
    view_of,
    waiting_webhooks,
    webhook_fact,
)
from souk.platform.settings import Settings

__all__ = [
    "ENDED_WITHOUT_MONEY",
    "MAX_AMOUNT",
    "UNDER_WAY",
    "WEBHOOK_JOB",
    "AmountMismatch",
    "ChargeOrder",
    "ForeignOutcome",
    "GatewayOutcome",
    "GatewayPort",
    "GatewayRefused",
    "GatewayUnreachable",
    "Gateways",
    "InboxEntry",
    "OutcomeKind",
    "Payment",
    "PaymentInProgress",
    "PaymentMethod",
    "PaymentNotFound",
    "PaymentState",
    "PaymentStep",
    "PaymentView",
    "PayoutOrder",
    "PayoutOutcome",
    "RefundKeyReused",
    "RefundNotFailed",
    "RefundNotFound",
    "RefundOrder",
    "RefundOutcome",
    "RefundState",
    "RefundTooLarge",
    "RefundView",
    "RetryPolicy",
    "SandboxGateway",
    "SettlementLine",
    "SettlementStatement",
    "SignatureRefused",
    "UnknownGateway",
    "WebhookFact",
    "WebhookJob",
    "WebhookUnreadable",
    "attempts",
    "cancel",
    "capture",
    "checks",
    "desk",
    "execute",
    "execute_refund",
    "find",
    "find_refund",
    "for_checkouts",
    "gateways_from",
    "history",
    "inbox",
    "lock",
    "mark_processed",
    "of_checkout",
    "pending_refunds",
    "record",
    "record_refund",
    "refunds_of",
    "replay_webhooks",
    "request_refund",
    "resolve",
    "set_aside",
    "stale",
    "start",
    "store_webhook",
    "stuck",
    "take_held",
    "view_of",
    "waiting_webhooks",
    "webhook_fact",
]


def gateways_from(settings: Settings) -> Gateways:
    """The gateways that the settings name. The caller closes them."""
    sandbox = SandboxGateway(
        url=settings.sandbox_url,
        api_key=settings.sandbox_api_key,
        webhook_secret=settings.sandbox_webhook_secret,
    )
    return Gateways([sandbox])
