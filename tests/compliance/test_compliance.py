from __future__ import annotations

from datetime import datetime, timedelta, timezone

import asyncpg
import pytest

from souk.contexts.compliance import api as compliance
from souk.contexts.compliance.api import ConsentPurpose, DocumentKind
from souk.contexts.compliance.commands import default_text
from souk.contexts.compliance.domain import preferred, render
from souk.kernel.actor import GUEST, Actor, Permission
from souk.kernel.errors import Forbidden, InvalidInput
from souk.kernel.ids import uuid7

LAWYER = Actor(
    kind="user", user_id=uuid7(), permissions=frozenset({Permission.LEGAL_MANAGE}), name="L"
)


def person() -> Actor:
    return Actor(kind="user", user_id=uuid7(), ip="203.0.113.7")


async def publish(db, kind, *, markdown="Text.", locales=("en",), **options):
    for locale in locales:
        await db.transact(
            lambda tx, locale=locale: compliance.save_draft(
                tx, LAWYER, kind=kind, locale=locale, title=f"Title {locale}", markdown=markdown
            )
        )
    return await db.transact(lambda tx: compliance.publish(tx, LAWYER, kind=kind, **options))


async def current(db, kind, locale="en"):
    async with db.read() as conn:
        return await compliance.current(conn, kind, locale=locale)


async def accept(db, actor, kind, version=None):
    await db.transact(
        lambda tx: compliance.accept(tx, actor, user_id=actor.user_id, documents={kind: version})
    )


async def missing(db, actor, *kinds):
    async with db.read() as conn:
        return await compliance.missing_acceptances(conn, actor.user_id, kinds)


@pytest.mark.parametrize(
    "nasty",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href='data:text/html,x' onclick='x'>x</a>",
        "<iframe src=//evil></iframe>",
        "<style>*{display:none}</style>",
        "<form action=//evil><input></form>",
        "<svg><script>alert(1)</script></svg>",
    ],
)
def test_nothing_that_acts_survives(nasty):
    html = render(f"Before\n\n{nasty}\n\nAfter")
    assert "Before" in html
    assert "After" in html
    for word in ("<script", "onerror", "onclick", '="javascript:', '="data:', "<iframe", "<style",
                 "<form", "<input", "<img", "<svg"):  # fmt: skip
        assert word not in html


def test_text_keeps_its_structure():
    html = render("## Part\n\n- one\n- **two**\n\n[x](https://a.test)\n\n|a|b|\n|-|-|\n|1|2|\n")
    for part in ("<h2>Part</h2>", "<li>", "<strong>two</strong>", "<td>1</td>",
                 'href="https://a.test"'):  # fmt: skip
        assert part in html


def test_the_best_language():
    assert preferred(["de", "en"], "de") == "de"
    assert preferred(["de", "en"], "de-AT") == "de"
    assert preferred(["de", "en"], "fr") == "en"
    assert preferred(["de", "it"], "fr") == "de"


@pytest.mark.parametrize("kind", DocumentKind)
def test_the_texts_that_we_bring(kind):
    title, markdown = default_text(kind, marketplace="Green Bazaar")
    html = render(markdown)
    assert title
    assert "{{" not in markdown
    assert "Green Bazaar" in markdown
    assert "checked by a lawyer" in markdown
    assert len(html) > 1_000


async def test_defaults_are_installed_once_and_never_over_an_operators_text(db):
    await publish(db, DocumentKind.REFUNDS, markdown="Ours.")
    first = await db.transact(
        lambda tx: compliance.install_defaults(tx, marketplace="Green Bazaar")
    )
    second = await db.transact(
        lambda tx: compliance.install_defaults(tx, marketplace="Green Bazaar")
    )
    assert DocumentKind.REFUNDS not in first
    assert DocumentKind.TERMS in first
    assert second == []
    assert (await current(db, DocumentKind.REFUNDS)).markdown == "Ours.\n"
    async with db.read() as conn:
        titles = await compliance.titles(conn)
    assert [t.kind for t in titles] == list(DocumentKind)


async def test_a_draft_is_seen_by_nobody_until_it_is_published(db):
    kind = DocumentKind.TERMS
    before = await publish(db, kind, markdown="Old.")
    number = await db.transact(
        lambda tx: compliance.save_draft(
            tx, LAWYER, kind=kind, locale="en", title="T", markdown="New."
        )
    )
    assert number == before + 1
    assert (await current(db, kind)).markdown == "Old.\n"
    async with db.read() as conn:
        with pytest.raises(compliance.DocumentNotFound):
            await compliance.version(conn, kind, number=number)
    assert await db.transact(lambda tx: compliance.publish(tx, LAWYER, kind=kind)) == number
    assert (await current(db, kind)).markdown == "New.\n"
    async with db.read() as conn:
        assert (await compliance.version(conn, kind, number=before)).markdown == "Old.\n"


async def test_languages_are_published_together(db):
    kind = DocumentKind.PRIVACY
    both = await publish(db, kind, locales=("de", "en"))
    assert (await current(db, kind, "de-CH")).title == "Title de"
    assert (await current(db, kind, "fr")).title == "Title en"
    await publish(db, kind, locales=("en",))
    newer = await current(db, kind, "de")
    assert (newer.version, newer.locale) == (both + 1, "en")


async def test_a_coming_version_counts_from_its_day(db, clock):
    kind = DocumentKind.CONTENT_GUIDELINES
    old = await publish(db, kind)
    actor = person()
    await accept(db, actor, kind, old)
    begins = clock.now() + timedelta(days=15)
    new = await publish(db, kind, effective_at=begins)
    assert (await current(db, kind)).version == old
    assert await missing(db, actor, kind) == []
    with pytest.raises(compliance.NotEffectiveYet):
        await publish(db, kind, effective_at=begins - timedelta(days=1))
    await db.transact(lambda tx: compliance.discard_draft(tx, LAWYER, kind=kind))
    clock.set(begins)
    assert (await current(db, kind)).version == new
    assert await missing(db, actor, kind) == [kind]


async def test_the_past_is_not_rewritten(db, clock):
    kind = DocumentKind.TERMS
    with pytest.raises(compliance.NotEffectiveYet):
        await publish(db, kind, effective_at=clock.now() - timedelta(days=1))
    for wrong in (
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))),
    ):
        with pytest.raises(compliance.NotEffectiveYet):
            await publish(db, kind, effective_at=wrong)
    await publish(db, kind)
    published = await current(db, kind)
    for sql in (
        "UPDATE compliance.document SET markdown = 'x' WHERE id = $1",
        "DELETE FROM compliance.document WHERE id = $1",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await db.transact(lambda tx, sql=sql: tx.execute(sql, published.id))
    actor = person()
    await accept(db, actor, kind)
    with pytest.raises(asyncpg.RestrictViolationError):
        await db.transact(
            lambda tx: tx.execute(
                "UPDATE compliance.acceptance SET version = 1 WHERE user_id = $1", actor.user_id
            )
        )


async def test_acceptance_is_asked_again_only_for_changes_that_matter(db):
    kind, actor = DocumentKind.SELLER_AGREEMENT, person()
    await publish(db, kind)
    assert await missing(db, actor, kind) == [kind]
    await accept(db, actor, kind)
    await accept(db, actor, kind)
    assert await missing(db, actor, kind) == []
    await publish(db, kind, markdown="Typo.", requires_acceptance=False)
    assert await missing(db, actor, kind) == []
    await publish(db, kind, markdown="Other.")
    assert await missing(db, actor, kind) == [kind]
    async with db.read() as conn:
        assert len(await compliance.acceptances(conn, actor.user_id)) == 1


async def test_an_old_version_cannot_be_accepted_by_mistake(db):
    kind, actor = DocumentKind.TERMS, person()
    old = await publish(db, kind)
    new = await publish(db, kind)
    with pytest.raises(compliance.DocumentChanged) as refusal:
        await accept(db, actor, kind, old)
    assert refusal.value.fields["current"] == new


async def test_publishing_is_told_and_audited(db):
    kind = DocumentKind.TERMS
    version = await publish(db, kind, locales=("en", "de"))
    async with db.read() as conn:
        event = await conn.fetchval(
            "SELECT payload FROM platform.event WHERE name = 'compliance.document_published.v1'"
            " ORDER BY seq DESC LIMIT 1"
        )
        action = await conn.fetchval(
            "SELECT action FROM platform.audit WHERE subject = 'document:terms'"
            " ORDER BY id DESC LIMIT 1"
        )
    assert (event["version"], event["locales"]) == (version, ["de", "en"])
    assert action == "compliance.document_published"


async def test_only_who_may_edits_documents(db):
    kind = DocumentKind.TERMS
    for actor in (GUEST, person()):
        with pytest.raises(Forbidden):
            await db.transact(
                lambda tx, a=actor: compliance.save_draft(
                    tx, a, kind=kind, locale="en", title="T", markdown="x"
                )
            )
        with pytest.raises(Forbidden):
            await db.transact(lambda tx, a=actor: compliance.publish(tx, a, kind=kind))
        with pytest.raises(Forbidden):
            await db.transact(lambda tx, a=actor: compliance.discard_draft(tx, a, kind=kind))


@pytest.mark.parametrize(
    "changes",
    [{"title": "\n"}, {"title": "x" * 201}, {"markdown": " \x00"}, {"markdown": "x" * 200_001},
     {"locale": "??"}],
)  # fmt: skip
async def test_bad_drafts_are_refused(db, changes):
    fields = {"locale": "en", "title": "T", "markdown": "x"} | changes
    with pytest.raises(InvalidInput):
        await db.transact(
            lambda tx: compliance.save_draft(tx, LAWYER, kind=DocumentKind.TERMS, **fields)
        )


async def test_without_a_draft_there_is_nothing_to_publish(db):
    for act in (compliance.publish, compliance.discard_draft):
        with pytest.raises(compliance.DocumentNotFound):
            await db.transact(lambda tx, act=act: act(tx, LAWYER, kind=DocumentKind.TERMS))


async def test_the_last_answer_counts_and_all_are_kept(db):
    actor = person()
    subject = f"user:{actor.user_id}"
    for granted in (True, False, True):
        await db.transact(
            lambda tx, g=granted: compliance.record_consents(
                tx, actor, subject=subject, answers={ConsentPurpose.ANALYTICS: g}
            )
        )
    async with db.read() as conn:
        answers = {c.purpose: c.granted for c in await compliance.consents(conn, subject=subject)}
        kept = await conn.fetchval(
            "SELECT count(*) FROM compliance.consent WHERE subject = $1", subject
        )
    assert answers == {"analytics": True, "marketing_mail": False, "personalisation": False}
    assert kept == 3


@pytest.fixture
def client(make_client):
    return make_client(compliance.routes)


async def test_documents_by_http(client, db):
    version = await publish(db, DocumentKind.TERMS, markdown="**Hello**")
    found = (await client.get("/api/v1/legal/terms", params={"locale": "de"})).json()
    assert (found["version"], found["html"]) == (version, "<p><strong>Hello</strong></p>\n")
    kinds = [i["kind"] for i in (await client.get("/api/v1/legal")).json()["items"]]
    assert "terms" in kinds
    older = await client.get("/api/v1/legal/terms", params={"version": version - 1})
    assert older.json()["version"] == version - 1
    absent = await client.get("/api/v1/legal/terms", params={"version": 999_999})
    assert absent.status_code == 404
    assert (await client.get("/api/v1/legal/imprint")).status_code in {404, 422}
    bad = await client.get("/api/v1/legal/terms", params={"locale": "\x00"})
    assert bad.status_code == 422


async def test_accepting_by_http(client, db):
    version = await publish(db, DocumentKind.TERMS)
    client.act_as.actor = person()
    before = (await client.get("/api/v1/legal/acceptances")).json()
    assert "terms" in before["missing"]
    path = "/api/v1/legal/terms/acceptances"
    stale = await client.post(path, json={"version": version + 1})
    assert (stale.status_code, stale.json()["current"]) == (409, version)
    assert (await client.post(path, json={"version": version})).status_code == 204
    after = (await client.get("/api/v1/legal/acceptances")).json()
    assert "terms" not in after["missing"]
    assert after["items"][0]["version"] == version
    client.act_as.actor = Actor(kind="user", user_id=uuid7(), seller_id=uuid7())
    seller = (await client.get("/api/v1/legal/acceptances")).json()
    assert "seller_agreement" in seller["missing"]


MANAGE = [
    ("GET", "/api/v1/legal/terms/versions"),
    ("PUT", "/api/v1/legal/terms/draft"),
    ("DELETE", "/api/v1/legal/terms/draft"),
    ("POST", "/api/v1/legal/terms/publish"),
]
OWN = [("GET", "/api/v1/legal/acceptances"), ("POST", "/api/v1/legal/terms/acceptances")]


@pytest.mark.parametrize(("method", "path"), MANAGE + OWN)
async def test_guests_are_asked_to_log_in(client, method, path):
    assert (await client.request(method, path)).status_code == 401


@pytest.mark.parametrize(("method", "path"), MANAGE)
async def test_people_do_not_edit_documents(client, method, path):
    client.act_as.actor = person()
    assert (await client.request(method, path)).status_code == 403


async def test_before_anything_is_published_there_is_nothing_to_read(make_client, services):
    async def empty(tx):
        await tx.execute("ALTER TABLE compliance.document DISABLE TRIGGER published_is_final")
        await tx.execute("DELETE FROM compliance.acceptance WHERE version > 0")
        await tx.execute("DELETE FROM compliance.document WHERE version > 0")
        await tx.execute("ALTER TABLE compliance.document ENABLE TRIGGER published_is_final")

    await services.db.transact(empty)
    client = make_client(compliance.routes)
    assert (await client.get("/api/v1/legal/terms")).status_code == 404
    assert (await client.get("/api/v1/legal")).json() == {"items": []}
    with pytest.raises(compliance.DocumentNotFound):
        await accept(services.db, person(), DocumentKind.TERMS)


async def test_editing_by_http(client):
    client.act_as.actor = LAWYER
    base = "/api/v1/legal/refunds"
    body = {"locale": "en", "title": "Refunds", "markdown": "Yes.<script>x</script>"}
    saved = (await client.put(f"{base}/draft", json=body)).json()
    assert (await client.delete(f"{base}/draft")).status_code == 204
    assert (await client.post(f"{base}/publish", json={})).status_code == 404
    assert (await client.put(f"{base}/draft", json=body)).json() == saved
    published = await client.post(f"{base}/publish", json={"requires_acceptance": False})
    assert published.json()["version"] == saved["version"]
    newest = (await client.get(f"{base}/versions")).json()["items"][0]
    assert (newest["state"], newest["html"]) == ("published", "<p>Yes.</p>\n")


async def test_consents_of_guests_by_http(client):
    first = await client.put("/api/v1/consents", json={"analytics": True})
    assert first.status_code == 200
    token = first.headers["souk-guest"]
    client.cookies.clear()
    mine = await client.get("/api/v1/consents", headers={"souk-guest": token})
    assert {i["purpose"]: i["granted"] for i in mine.json()["items"]}["analytics"] is True
    other = await client.get("/api/v1/consents")
    assert not any(item["granted"] for item in other.json()["items"])
