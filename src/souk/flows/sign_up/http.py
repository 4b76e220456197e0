"""`/api/v1/auth/register`."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import post

from souk.contexts.compliance.api import DocumentKind
from souk.contexts.identity import api as identity
from souk.flows.sign_up.flow import sign_up
from souk.kernel.actor import Actor
from souk.kernel.errors import FieldProblem, InvalidInput
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.settings import Settings

Version = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class Register(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A new account. `accept_terms` stands for the terms and the privacy policy; the versions that
    were shown may be named, so that nobody agrees to a newer text unseen."""

    email: identity.Email
    password: identity.Password
    display_name: identity.DisplayName
    accept_terms: bool
    locale: identity.Locale = "en"
    terms_version: Version | None = None
    privacy_version: Version | None = None


class Registered(msgspec.Struct, frozen=True):
    """The same whether or not the address had an account."""

    message: str


@post("/api/v1/auth/register", access=access.PUBLIC, rate="mail", status_code=202)
async def register(data: Register, db: Database, settings: Settings, actor: Actor) -> Registered:
    """Make an account. The verification link, or word that there is an account, comes by mail."""
    if not data.accept_terms:
        problem = FieldProblem("accept_terms", "required", "Send true to accept.")
        raise InvalidInput(
            "Read and accept the terms and the privacy policy to register.", problems=[problem]
        )
    await register_account(db, settings, actor, data)
    return Registered("Look into your mailbox: a mail with the next step is on its way.")


async def register_account(
    db: Database, settings: Settings, actor: Actor, data: Register
) -> identity.Registration:
    """Check and hash the password, then sign up; pages call this too.

    Raises WeakPassword and whatever `sign_up` raises. Never tell the visitor `created`.
    """
    words = [identity.normal_email(data.email), data.display_name, settings.marketplace_name]
    password_hash = await identity.prepare_password(data.password, inputs=words)
    return await db.transact(
        lambda tx: sign_up(
            tx,
            actor,
            email=data.email,
            password_hash=password_hash,
            display_name=data.display_name,
            locale=data.locale,
            marketplace=settings.marketplace_name,
            versions={
                DocumentKind.TERMS: data.terms_version,
                DocumentKind.PRIVACY: data.privacy_version,
            },
        )
    )


routes: list[Any] = [register]
