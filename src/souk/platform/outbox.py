"""The one way in which a context publishes a fact."""

from __future__ import annotations

from souk.kernel.actor import Actor
from souk.platform.database import WriteTx
from souk.platform.events import Event


def add(tx: WriteTx, event: Event, *, actor: Actor) -> None:
    """Store `event` with the transaction; subscribers receive it after the commit."""
    tx.add_event(event, actor=actor.label())
