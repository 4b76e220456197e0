"""Where the gateways post their webhooks."""

from __future__ import annotations

import structlog
from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.params import FromPath
from prometheus_client import Counter

from souk.contexts.payments import commands
from souk.contexts.payments.errors import SignatureRefused, UnknownGateway, WebhookUnreadable
from souk.contexts.payments.gateways import Gateways
from souk.kernel.errors import NotFound
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.services import Services

log = structlog.get_logger()
REJECTED = Counter(
    "souk_webhooks_rejected_total", "Webhooks refused at the door", ["gateway", "reason"]
)


@post("/api/v1/payments/webhooks/{gateway:str}", access=access.SIGNED, status_code=200)
async def receive_webhook(
    request: Request[object, object, State],
    gateway: FromPath[str],
    db: Database,
    services: Services,
) -> Response[bytes]:
    """Verify, keep, answer: acting on it is a job's work."""
    try:
        port = services.get(Gateways).port(gateway)
    except UnknownGateway as error:
        raise NotFound("No gateway posts here. Check the webhook address.") from error
    raw = await request.body()
    try:
        fact = port.verify(request.headers, raw, now=db.clock.now())
    except (SignatureRefused, WebhookUnreadable) as error:
        reason = str(error.fields.get("reason", error.code))
        REJECTED.labels(gateway, reason).inc()
        log.warning("webhook_rejected", gateway=gateway, reason=reason)
        raise
    # Most come when the answer to the call has settled the payment: those need no job.
    kept = await db.transact(
        lambda tx: commands.store_webhook(tx, fact, raw, no_news_only=True), alone=True
    )
    if kept is None:
        await db.transact(lambda tx: commands.store_webhook(tx, fact, raw))
    return Response(b"{}", media_type="application/json")


routes = [receive_webhook]
