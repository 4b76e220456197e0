from __future__ import annotations

from datetime import timedelta

import pytest

from souk.contexts.sellers import http
from souk.flows.seller_approval import http as approval
from souk.kernel.actor import GUEST
from souk.kernel.ids import uuid7
from tests.identity.factories import make_person
from tests.sellers.factories import OPERATOR, applied, approved, person

SHOPS = "/api/v1/sellers"
DESK = "/api/v1/admin/sellers"


@pytest.fixture
def client(make_client):
    return make_client([*http.routes, *approval.routes])


def body(**fields):
    return {"name": f"Shop {uuid7().hex[-10:]}", "country": "FR", "kind": "private"} | fields


async def test_applying_and_reading_the_own_account(client):
    client.act_as.actor = person()
    assert (await client.get(f"{SHOPS}/me")).status_code == 404
    made = await client.post(f"{SHOPS}/apply", json=body())
    assert made.status_code == 201, made.text
    own = (await client.get(f"{SHOPS}/me")).json()
    assert (own["state"], len(own["steps"])) == ("applied", 1)
    assert (await client.get(f"{SHOPS}/{own['slug']}")).status_code == 404
    again = await client.post(f"{SHOPS}/apply", json=body())
    assert (again.status_code, again.json()["code"]) == (409, "already_applied")


@pytest.mark.parametrize(
    "wrong",
    [{"country": "fr"}, {"kind": "church"}, {"extra": 1}, {"name": "a\x00b"}, {"slug": "Bad!"},
     {"name": ""}, {"slug": "x" * 49}],
)  # fmt: skip
async def test_wrong_applications_are_refused(client, wrong):
    client.act_as.actor = person()
    refused = await client.post(f"{SHOPS}/apply", json=body(**wrong))
    assert refused.status_code in {400, 422}, refused.text
    assert (await client.get(f"{SHOPS}/me")).status_code == 404


async def test_guests_and_unverified_people_cannot_apply(client):
    client.act_as.actor = GUEST
    assert (await client.post(f"{SHOPS}/apply", json=body())).status_code == 401
    client.act_as.actor = person(email_verified=False)
    refused = await client.post(f"{SHOPS}/apply", json=body())
    assert (refused.status_code, refused.json()["code"]) == (403, "email_not_verified")


async def test_the_own_shop_is_changed_and_shown(client, db, clock):
    seller, other = await approved(db), await approved(db)
    client.act_as.actor = person(seller_id=seller.id)
    changed = await client.patch(f"{SHOPS}/me/storefront", json={"bio": "Ferns"})
    assert (changed.json()["bio"], changed.json()["name"]) == ("Ferns", seller.name)
    holiday = {
        "start": clock.now().isoformat(),
        "end": (clock.now() + timedelta(days=3)).isoformat(),
        "message": "Back soon",
    }
    assert (await client.put(f"{SHOPS}/me/holiday", json=holiday)).status_code == 200
    client.act_as.actor = GUEST
    shop = (await client.get(f"{SHOPS}/{seller.slug}")).json()
    assert (shop["on_holiday"], shop["holiday_message"]) == (True, "Back soon")
    assert "user_id" not in shop
    untouched = (await client.get(f"{SHOPS}/{other.slug}")).json()
    assert (untouched["bio"], untouched["on_holiday"]) == ("", False)
    listed = (await client.get(SHOPS, params={"limit": 100})).json()["items"]
    assert {str(seller.id), str(other.id)} <= {each["id"] for each in listed}


@pytest.mark.parametrize(
    "holiday",
    [
        {"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
        {"end": "2026-01-01T00:00:00Z"},
        {"start": "2026-01-02T00:00:00", "end": "2026-01-03T00:00:00Z"},
        {"start": "tomorrow"},
        {"message": "x" * 301},
    ],
)
async def test_holidays_that_cannot_be(client, db, holiday):
    client.act_as.actor = person(seller_id=(await approved(db)).id)
    refused = await client.put(f"{SHOPS}/me/holiday", json=holiday)
    assert refused.status_code in {400, 422}, refused.text


@pytest.mark.parametrize(("actor", "status"), [(GUEST, 401), (person(), 403)])
async def test_only_sellers_change_shops_and_only_reviewers_decide(client, db, actor, status):
    seller = await applied(db)
    client.act_as.actor = actor
    answers = [
        await client.patch(f"{SHOPS}/me/storefront", json={}),
        await client.put(f"{SHOPS}/me/holiday", json={}),
        await client.get(DESK),
        await client.get(f"{DESK}/{seller.id}"),
        await client.post(f"{DESK}/{seller.id}/decision", json={"decision": "approve"}),
    ]
    assert [answer.status_code for answer in answers] == [status] * 5


async def test_sellers_do_not_decide_on_themselves(client, db):
    seller = await approved(db)
    client.act_as.actor = person(seller_id=seller.id)
    answer = await client.post(f"{DESK}/{seller.id}/decision", json={"decision": "approve"})
    assert answer.status_code == 403


async def test_a_reviewer_decides(client, db):
    owner = await make_person(db)
    seller = await applied(db, person(user_id=owner.id))
    client.act_as.actor = OPERATOR
    queue = (await client.get(DESK, params={"state": "applied", "limit": 100})).json()["items"]
    assert str(seller.id) in {each["id"] for each in queue}
    path = f"{DESK}/{seller.id}/decision"
    refused = await client.post(path, json={"decision": "reject"})
    assert (refused.status_code, refused.json()["problems"][0]["path"]) == (422, "reason")
    opened = await client.post(path, json={"decision": "approve"})
    assert (opened.status_code, opened.json()["state"]) == (200, "approved")
    again = await client.post(path, json={"decision": "approve"})
    assert (again.status_code, again.json()["code"]) == (409, "illegal_transition")
    assert (await client.get(f"{SHOPS}/{seller.slug}")).status_code == 200
    assert (await client.get(f"{DESK}/{seller.id}")).json()["state"] == "approved"


async def test_absent_shops(client):
    client.act_as.actor = OPERATOR
    assert (await client.get(f"{DESK}/{uuid7()}")).status_code == 404
    path = f"{DESK}/{uuid7()}/decision"
    assert (await client.post(path, json={"decision": "approve"})).status_code == 404
    assert (await client.get(f"{SHOPS}/no-such-shop")).status_code == 404
    assert (await client.get(SHOPS, params={"cursor": "?"})).status_code in {400, 422}
