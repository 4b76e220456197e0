"""Rendering a page: what every template knows, flashes, redirects, errors as pages.

Controllers call `page(request, "shop/cart.html", cart=…)`; everything else that base.html shows is
gathered here, with no statement for a visitor without cookies.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from jinja2 import Environment, FileSystemLoader
from litestar import Request, Response
from litestar.datastructures import State
from markupsafe import Markup

from souk.contexts.carts import api as carts
from souk.contexts.catalog import api as catalog
from souk.contexts.notifications import api as notifications
from souk.contexts.search import api as search
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError, InvalidInput
from souk.platform import amounts
from souk.platform.http import access
from souk.platform.http.access import CSRF_COOKIE, CSRF_FIELD, actor_of, new_csrf_token
from souk.platform.http.holder import GUEST_COOKIE, holder_of
from souk.platform.options import MARKETPLACE_NAME, SUPPORT_EMAIL
from souk.platform.services import Services
from souk.platform.settings import Settings
from souk.web import locale as languages
from souk.web import words
from souk.web.addresses import country_name
from souk.web.assets import Assets
from souk.web.desks import Count, Desks
from souk.web.drawn import Drawn
from souk.web.flashes import FLASH_COOKIE, Flash, read_flashes, signed_flash
from souk.web.hearts import mark_wished
from souk.web.locale import N_
from souk.web.options import BANNER_TEXT, BANNER_TONE
from souk.web.ways import location

Req = Request[Any, Any, State]
THEME_COOKIE = "theme"
CONSENT_COOKIE = "souk_consent"
TEMPLATES = Path(__file__).parent / "templates"
_DRAWN_BYTES = 8_000_000


@dataclass(frozen=True, slots=True)
class Viewer:
    """The signed-in person as templates know them."""

    name: str
    is_seller: bool
    is_operator: bool
    actor: Actor

    @classmethod
    def of(cls, actor: Actor) -> Viewer:
        """The person behind an actor that is one."""
        return cls(actor.name, actor.seller_id is not None, actor.is_operator, actor)


class Pages:
    """The template environment of one program. `tree` holds the categories as last shown."""

    def __init__(
        self, services: Services, assets: Assets, *, desks: Mapping[str, Count] | None = None
    ) -> None:
        self.services = services
        self.settings = services.settings
        self.engine = services.get(search.SearchEngine)
        env = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=self.settings.environment == "development",
            cache_size=400,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        )
        own = {
            "asset": assets.url,
            "csrf_field": _csrf_field,
            "media": media_url,
            "N_": N_,
            "conditions": lambda: words.condition_words(_gettext),
            "kinds": lambda: words.kind_words(_gettext),
            "report_reasons": lambda: words.report_words(_gettext),
            "care_words": lambda: words.care_words(_gettext),
        }
        cast("dict[str, Any]", env.globals).update(own)
        env.install_gettext_callables(  # type: ignore[attr-defined]
            _gettext, _ngettext, newstyle=True, pgettext=None, npgettext=None
        )
        env.filters["money"] = _money_filter(languages.money_text)
        env.filters["less"] = _money_filter(languages.less_text)
        env.filters["money_change"] = _money_filter(languages.money_change_text)
        env.filters["date"] = _filter(languages.date_text)
        env.filters["day"] = _filter(languages.day_text)
        env.filters["datetime"] = _filter(languages.datetime_text)
        env.filters["number"] = _filter(amounts.number)
        env.filters["number_change"] = _filter(amounts.number_change)
        env.filters["file_size"] = _filter(amounts.size)
        env.filters["said"] = _said
        env.filters["country"] = _filter(country_name)
        self.env = env
        self.desks = Desks(env, desks or {})
        self.tree: catalog.Tree | None = None
        self.drawn = Drawn(_DRAWN_BYTES)


def media_url(key: str | None, width: int = 640) -> str | None:
    """Where a picture is served, `width` pixels wide or as wide as it is."""
    return None if key is None else f"/media/{key}/{width}.webp"


@dataclass(frozen=True, slots=True)
class _Rendering:
    """What filters and globals need to know; macros are imported without the page's context."""

    language: str
    csrf_token: str


_rendering: ContextVar[_Rendering] = ContextVar("rendering")


def _csrf_token(request: Req) -> str | None:
    return access.csrf_token_of(request, pages_of(request).settings)


def _csrf_field() -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(
        CSRF_FIELD, _rendering.get().csrf_token
    )


def _gettext(message: str) -> str:
    return languages.translations(_rendering.get().language).gettext(message)


def _ngettext(one: str, many: str, n: int) -> str:
    return languages.translations(_rendering.get().language).ngettext(one, many, n)


def _money_filter(function: Callable[[Any, str, str | None], str]) -> Callable[..., str]:
    def apply(value: Any, currency: str | None = None) -> str:
        return function(value, _rendering.get().language, currency)

    return apply


def _filter(function: Callable[[Any, str], str]) -> Callable[[Any], str]:
    def apply(value: Any) -> str:
        return "" if value is None else function(value, _rendering.get().language)

    return apply


def _said(value: Any) -> Any:
    """Template filter for refusals and flashes, which are raised in English. Markup stays."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return languages.said(value, _rendering.get().language)
    return value


def pages_of(request: Req) -> Pages:
    return request.app.state["pages"]


def language_of(request: Req) -> str:
    """The language of this request."""
    return languages.negotiate(
        request.cookies.get(languages.LANGUAGE_COOKIE, ""),
        request.headers.get("accept-language", ""),
    )


def translate(request: Req, message: str) -> str:
    """A sentence of a controller, such as a flash, in the visitor's language."""
    return languages.said(message, language_of(request))


async def page(
    request: Req, template: str, *, status: int = 200, **context: object
) -> Response[bytes]:
    """The page as an answer. Errors of a form are given as `errors` (see `field_errors`)."""
    viewer = await viewer_of(request)
    frame = await frame_of(request, viewer)
    if viewer is not None and "desk_counts" not in context:
        frame["desk_counts"] = await _desk_counts(request, viewer, template)
    return respond(request, template, status=status, viewer=viewer, context={**frame, **context})


def fragment(request: Req, template: str, **context: object) -> Response[bytes]:
    """A piece of HTML for htmx and the search box, without the frame."""
    token = _csrf_token(request) or ""
    _rendering.set(_Rendering(language_of(request), token))
    html = pages_of(request).env.get_template(template).render(context)
    return Response(
        html.encode(),
        media_type="text/html; charset=utf-8",
        headers={"Cache-Control": "private, max-age=60", "Vary": "Accept-Language, Cookie"},
    )


async def cached_page(
    request: Req,
    template: str,
    *,
    key: tuple[Hashable, ...],
    build: Callable[[], Awaitable[Mapping[str, Any]]],
) -> Response[bytes]:
    """As `page`, drawn once for everybody who is not signed in as long as `key` stays the same.

    `key` names all that the page shows; language, theme, cart and categories are added here.
    """
    viewer = await viewer_of(request)
    if viewer is not None or FLASH_COOKIE in request.cookies:
        return await page(request, template, **await build())
    drawn = pages_of(request).drawn
    tree = await tree_of(request)
    badge = await _badge(request, None)
    place = (template, request.scope["path"], language_of(request), theme_of(request))
    stamp = pages_of(request).services.options.stamp
    full = (*place, badge.pieces, consent_asked(request), tree.version, stamp, key)
    html = drawn.find(full)
    if html is None:
        context = {"cart_count": badge.pieces, "nav_categories": nav_of(tree), **await build()}
        token = drawn.place.decode()
        html = _draw(request, template, context, token=token, viewer=None, flashes=[]).encode()
        drawn.keep(full, html)
    token = _csrf_token(request)
    made = None if token else new_csrf_token(pages_of(request).settings)
    html = mark_wished(html.replace(drawn.place, (token or made or "").encode()), badge.wished)
    return _answer(request, html, status=200, made=made)


def respond(
    request: Req, template: str, *, status: int, viewer: Viewer | None, context: dict[str, object]
) -> Response[bytes]:
    """As `page`, with a frame that is known already."""
    settings = pages_of(request).settings
    token = _csrf_token(request)
    made = None if token else new_csrf_token(settings)
    flashes = read_flashes(request.cookies.get(FLASH_COOKIE, ""), settings)
    html = _draw(
        request, template, context, token=token or made or "", viewer=viewer, flashes=flashes
    ).encode()
    wished = cast("tuple[UUID, ...]", context.get("wished", ()))
    response = _answer(request, mark_wished(html, wished), status=status, made=made)
    if flashes:
        response.delete_cookie(FLASH_COOKIE)
    if viewer is not None or flashes or not access.is_for_all(request.scope):
        response.headers["Cache-Control"] = "private, no-store"
    return response


def _draw(
    request: Req,
    template: str,
    context: Mapping[str, object],
    *,
    token: str,
    viewer: Viewer | None,
    flashes: list[Flash],
) -> str:
    pages = pages_of(request)
    settings, options = pages.settings, pages.services.options
    language = language_of(request)
    _rendering.set(_Rendering(language, token))
    return pages.env.get_template(template).render(
        {
            "locale": languages.locale_of(language),
            "languages": [(code, languages.LANGUAGES[code]) for code in languages.available()],
            "request_path": request.scope["path"],
            "csrf_token": token,
            "theme": theme_of(request),
            "site_name": options[MARKETPLACE_NAME] or settings.marketplace_name,
            "support_email": options[SUPPORT_EMAIL],
            "banner": {"text": options[BANNER_TEXT], "tone": options[BANNER_TONE]},
            "base_url": settings.base_url,
            "canonical_url": None,
            "og_image": None,
            "noindex": False,
            "query": "",
            "legal_pages": [
                {"text": translate(request, title), "url": f"/legal/{kind.replace('_', '-')}"}
                for kind, title in LEGAL_TITLES.items()
            ],
            "viewer": viewer,
            "flashes": flashes,
            "cart_count": 0,
            "consent_asked": consent_asked(request),
            "nav_categories": [],
            **context,
        }
    )


def _answer(request: Req, html: bytes, *, status: int, made: str | None) -> Response[bytes]:
    response = Response(
        html,
        status_code=status,
        media_type="text/html; charset=utf-8",
        headers={
            "Cache-Control": "private, no-cache",
            "Content-Language": language_of(request),
            "Vary": "Accept-Language, Cookie",
        },
    )
    if made:
        secure = pages_of(request).settings.secure_cookies
        name = access.cookie_name(CSRF_COOKIE, pages_of(request).settings)
        response.set_cookie(name, made, path="/", httponly=True, secure=secure, samesite="lax")
    return response


def draw_alone(request: Req, template: str) -> Response[bytes]:
    """A page that shows nothing of anybody: no name, no cart, no token. In the visitor's language.

    Its theme is that of the system, because it is kept for longer than a choice.
    """
    context = {"theme": "auto", "languages": []}
    html = _draw(request, template, context, token="", viewer=None, flashes=[])
    return _answer(request, html.encode(), status=200, made=None)


def theme_of(request: Req) -> str:
    """`light`, `dark`, or `auto` for what the system prefers."""
    theme = request.cookies.get(THEME_COOKIE, "auto")
    return theme if theme in {"light", "dark"} else "auto"


LEGAL_TITLES = {
    "terms": N_("Terms"),
    "privacy": N_("Privacy"),
    "refunds": N_("Refunds"),
    "seller_agreement": N_("Seller agreement"),
    "content_guidelines": N_("Content guidelines"),
}


async def viewer_of(request: Req) -> Viewer | None:
    """The signed-in person, None for guests."""
    actor = await actor_of(request)
    return None if actor.user_id is None else Viewer.of(actor)


async def frame_of(request: Req, viewer: Viewer | None) -> dict[str, object]:
    """What the head of every page shows: the cart's count and the categories."""
    badge = await _badge(request, viewer)
    return {
        "cart_count": badge.pieces,
        "wished": badge.wished,
        "unread": await _unread(request, viewer),
        "nav_categories": nav_of(await tree_of(request)),
    }


async def _desk_counts(request: Req, viewer: Viewer, template: str) -> dict[str, int]:
    count = pages_of(request).desks.count_for(template)
    if count is None:
        return {}
    async with pages_of(request).services.db.read() as conn:
        return await count(conn, viewer.actor)


async def _unread(request: Req, viewer: Viewer | None) -> int:
    """How many notices the signed-in person has not seen."""
    if viewer is None or viewer.actor.user_id is None:
        return 0
    async with pages_of(request).services.db.read() as conn:
        return await notifications.unread_count(conn, viewer.actor.user_id)


async def _badge(request: Req, viewer: Viewer | None) -> carts.Badge:
    name = access.cookie_name(GUEST_COOKIE, pages_of(request).settings)
    if viewer is None and name not in request.cookies:
        return carts.Badge(0, ())
    async with pages_of(request).services.db.read() as conn:
        return await carts.badge(conn, await holder_of(request))


def consent_asked(request: Req) -> bool:
    """Whether this browser has answered the question about optional cookies."""
    return CONSENT_COOKIE in request.cookies


async def tree_of(request: Req) -> catalog.Tree:
    """The categories, asked for once per request."""
    state = request.scope["state"]
    tree = state.get("category_tree")
    if tree is None:
        async with pages_of(request).services.db.read() as conn:
            tree = await catalog.tree(conn)
        state["category_tree"] = pages_of(request).tree = tree
    return tree


def nav_of(tree: catalog.Tree) -> list[dict[str, str]]:
    """The roots of the tree as links."""
    return [{"text": node.name, "url": f"/c/{node.slug}"} for node in tree.roots]


def redirect(
    to: str, *, flash: Flash | None = None, settings: Settings | None = None
) -> Response[bytes]:
    """See-other after a form. `to` is one of our own paths; anything else goes home."""
    response = Response(b"", status_code=303, headers={"Location": location(to)})
    if flash is not None and settings is not None:
        response.set_cookie(
            FLASH_COOKIE,
            signed_flash(flash, settings),
            max_age=120,
            httponly=True,
            secure=settings.secure_cookies,
            samesite="lax",
        )
    return response


def field_errors(error: DomainError) -> dict[str, str]:
    """Messages by field for a form that is shown again; `""` holds the sentence for the whole."""
    if isinstance(error, InvalidInput) and error.problems:
        return {"": error.message} | {p.path: p.message for p in error.problems}
    return {"": error.message}


async def form_of(request: Req) -> dict[str, str]:
    """The text fields of a posted form, the last value of each. Raises InvalidInput for a NUL."""
    form = await request.form()
    found = {
        # A password is what was typed, spaces and all.
        key: value if key.endswith("password") else value.strip()
        for key, value in form.multi_items()
        if isinstance(value, str) and key != CSRF_FIELD
    }
    if any("\x00" in value for value in found.values()):
        raise InvalidInput("Remove the invisible NUL character and send the form again.")
    return found
