"""Register an account and record the acceptance of the terms and the privacy policy."""

from __future__ import annotations

from collections.abc import Mapping

from souk.contexts.compliance import api as compliance
from souk.contexts.compliance.api import DocumentKind
from souk.contexts.identity import api as identity
from souk.kernel.actor import Actor
from souk.platform.database import WriteTx

REQUIRED = (DocumentKind.TERMS, DocumentKind.PRIVACY)


async def sign_up(
    tx: WriteTx,
    actor: Actor,
    *,
    email: str,
    password_hash: identity.PasswordHash,
    display_name: str,
    locale: str,
    marketplace: str,
    versions: Mapping[DocumentKind, int | None] | None = None,
) -> identity.Registration:
    """Idempotent on the address: a second registration changes nothing and tells the owner.

    `versions` says which versions the person was shown; those in force count when it is left out.
    Raises BadEmail, InvalidInput, and DocumentChanged when another version is in force by now.
    """
    documents = {kind: (versions or {}).get(kind) for kind in REQUIRED}
    # Asked before the address is looked at: the answer must not depend on whether it is taken.
    try:
        await compliance.to_accept(tx, documents, locale=locale)
    except compliance.DocumentNotFound:
        # A new installation: nobody can agree to nothing, so the texts that we bring count.
        await compliance.install_defaults(tx, marketplace=marketplace)
        await compliance.to_accept(tx, documents, locale=locale)
    registration = await identity.register(
        tx,
        actor,
        email=email,
        password_hash=password_hash,
        display_name=display_name,
        locale=locale,
    )
    if registration.created:
        await compliance.accept(
            tx, actor, user_id=registration.user_id, documents=documents, locale=locale
        )
    return registration
