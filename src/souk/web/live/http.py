"""`/live`: the stream that pages of signed-in people listen to."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import get
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream

from souk.kernel.actor import Actor
from souk.kernel.ids import parse_uuid
from souk.platform.http import access
from souk.platform.services import Services
from souk.web.live.hub import LiveHub
from souk.web.page import Req


@get("/live", access=access.SIGNED_IN, include_in_schema=False, uncompressed=True)
async def live(
    request: Req,
    actor: Actor,
    services: Services,
    *,
    after: Annotated[str, QueryParameter(max_length=40)] = "",
    last: Annotated[str, HeaderParameter(name="last-event-id")] = "",
) -> Stream:
    """Server-sent events: `signal` when something happened, `queues` when a queue's length changed.

    Goes on after the event that `Last-Event-ID` or `after` names.
    """
    hub = services.get(LiveHub)
    request.scope["state"]["streams"] = True
    page = hub.enter(actor)
    known = parse_uuid(last or after)
    return Stream(
        hub.stream(page, after=known),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


routes: list[Any] = [live]
