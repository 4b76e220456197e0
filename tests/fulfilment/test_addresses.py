"""Addresses of many countries, e-mail addresses, and a person's saved ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from souk.contexts.fulfilment import api
from souk.contexts.fulfilment.commands import addresses
from souk.contexts.fulfilment.errors import TooManyAddresses
from souk.contexts.fulfilment.http import routes
from souk.kernel.actor import Actor
from souk.kernel.errors import InvalidInput, NotFound, NotSignedIn
from souk.kernel.ids import uuid7
from souk.platform.database import Database
from tests.conftest import Client

BERLIN = api.Address(
    name="Ada Lovelace",
    line1="Unter den Linden 6",
    city="Berlin",
    postal_code="10117",
    country="DE",
    phone="030 20930",
)


def someone() -> Actor:
    return Actor(kind="user", user_id=uuid7(), email_verified=True)


def problems(address: api.Address) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refusal:
        api.normalise_address(address)
    return {problem.path: problem.code for problem in refusal.value.problems}


@pytest.mark.parametrize(
    ("address", "postal_code", "region"),
    [
        (BERLIN, "10117", ""),
        (
            api.Address(
                name="A", line1="1 Main St", city="Springfield", region="Illinois",
                postal_code="62701", country="us",
            ),
            "62701",
            "IL",
        ),
        (
            api.Address(
                name="A", line1="10 Downing St", city="London", postal_code="sw1a 2aa",
                country="GB",
            ),
            "SW1A 2AA",
            "",
        ),
        (
            api.Address(
                name="A", line1="1-2-3 Jinnan", city="Shibuya", region="Tokyo",
                postal_code="150-0041", country="JP",
            ),
            "150-0041",
            "東京都",
        ),
        (
            api.Address(
                name="A", line1="1 Chang'an Ave", city="Dongcheng", region="Beijing",
                postal_code="100006", country="CN",
            ),
            "100006",
            "北京市",
        ),
        (
            api.Address(
                name="A", line1="College Green", city="Dublin", region="Dublin",
                postal_code="D02 PN40", country="IE",
            ),
            "D02 PN40",
            "Dublin",
        ),
        (
            api.Address(
                name="A", line1="88 Queensway", city="Admiralty", region="Hong Kong Island",
                country="HK",
            ),
            "",
            "Hong Kong Island",
        ),
        (
            api.Address(
                name="A", line1="Av. Paulista 1000", city="São Paulo", region="SP",
                postal_code="01310-100", country="BR",
            ),
            "01310-100",
            "SP",
        ),
        (
            api.Address(
                name="A", line1="5 rue Saint-Jean", city="Québec", region="Quebec",
                postal_code="G1R 1N6", country="CA",
            ),
            "G1R 1N6",
            "QC",
        ),
    ],
    ids=["DE", "US", "GB", "JP", "CN", "IE", "HK", "BR", "CA"],
)  # fmt: skip
def test_good_addresses_are_normalised(address: api.Address, postal_code: str, region: str) -> None:
    normal = api.normalise_address(address)
    assert (normal.postal_code, normal.region) == (postal_code, region)
    assert normal.city in {address.city, "东城区"}
    assert api.normalise_address(normal) == normal
    assert address.name in api.address_lines(normal)[0] + api.address_lines(normal)[-1]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"postal_code": "1011"}, {"postal_code": "invalid"}),
        ({"postal_code": ""}, {"postal_code": "required"}),
        ({"city": "", "line1": ""}, {"city": "required", "line1": "required"}),
        ({"country": "XX"}, {"country": "invalid"}),
        ({"country": "Germany"}, {"country": "invalid"}),
        ({"country": "١٢"}, {"country": "invalid"}),
        ({"name": " \u200b "}, {"name": "required"}),
        ({"phone": "12"}, {"phone": "invalid"}),
        ({"phone": "call me"}, {"phone": "invalid"}),
        ({"line1": "x" * 121}, {"line1": "too_long"}),
        (
            {"country": "US", "postal_code": "62701", "region": "Bavaria", "phone": ""},
            {"region": "invalid"},
        ),
        ({"country": "US", "postal_code": "62701", "phone": ""}, {"region": "required"}),
    ],
)
def test_each_wrong_field_is_named(change: dict[str, str], wrong: dict[str, str]) -> None:
    assert problems(msgspec.structs.replace(BERLIN, **change)) == wrong


def test_phone_and_spaces_are_tidied() -> None:
    messy = msgspec.structs.replace(BERLIN, name="  Ada\x00 \n Lovelace ", city=" Berlin")
    normal = api.normalise_address(messy)
    assert (normal.name, normal.city, normal.phone) == ("Ada Lovelace", "Berlin", "+493020930")


@given(
    st.builds(
        api.Address,
        name=st.text(max_size=40),
        line1=st.text(max_size=40),
        city=st.text(max_size=40),
        region=st.text(max_size=20),
        postal_code=st.text(max_size=12),
        country=st.sampled_from(["DE", "US", "JP", "CN", "IE", "AE", "ZZ", "", "éé"]),
        phone=st.text(max_size=20),
    )
)
def test_any_text_is_stored_clean_or_refused(address: api.Address) -> None:
    try:
        normal = api.normalise_address(address)
    except InvalidInput as refusal:
        named = refusal.problems
    else:
        named = [None]
        assert all(value.isprintable() for value in msgspec.structs.asdict(normal).values())
        assert api.address_lines(normal)
    assert named


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        (" Ada@Example.COM ", "Ada@example.com"),
        ("a.b+c@bücher.de", "a.b+c@xn--bcher-kva.de"),
        ("o'hara@mail.example.co.uk", "o'hara@mail.example.co.uk"),
    ],
)
def test_mail_addresses_are_accepted(text: str, stored: str) -> None:
    assert api.checked_email(text) == stored


@pytest.mark.parametrize(
    "text",
    ["", "a", "a@", "@b.de", "a b@c.de", "a@b", "a@b..de", "a@-b.de", "a\nb@c.de", ".a@c.de",
     "a" * 65 + "@c.de", "a@" + "b" * 250 + ".de"],
)  # fmt: skip
def test_other_text_is_not_a_mail_address(text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        api.checked_email(text, path="contact.email")
    assert refusal.value.problems[0].path == "contact.email"


async def test_the_first_address_is_the_default_until_another_is(db: Database) -> None:
    actor = someone()
    first = await db.transact(lambda tx: api.save_address(tx, actor, address=BERLIN, label="Home"))
    second = await db.transact(lambda tx: api.save_address(tx, actor, address=BERLIN))
    assert (first.is_default, second.is_default) == (True, False)
    await db.transact(
        lambda tx: api.change_address(
            tx, actor, address_id=second.id, address=BERLIN, label="Work", default=True
        )
    )
    assert actor.user_id is not None
    async with db.read() as conn:
        found = await api.saved_addresses(conn, actor.user_id)
    assert [(a.id, a.label, a.is_default) for a in found] == [
        (second.id, "Work", True),
        (first.id, "Home", False),
    ]


async def test_somebody_elses_address_is_not_there(db: Database) -> None:
    mine, other = someone(), someone()
    saved = await db.transact(lambda tx: api.save_address(tx, mine, address=BERLIN))
    with pytest.raises(NotFound):
        await db.transact(lambda tx: api.forget_address(tx, other, address_id=saved.id))
    with pytest.raises(NotFound):
        await db.transact(
            lambda tx: api.change_address(tx, other, address_id=saved.id, address=BERLIN)
        )
    with pytest.raises(NotSignedIn):
        await db.transact(lambda tx: api.save_address(tx, Actor(kind="guest"), address=BERLIN))


async def test_there_is_a_limit(db: Database) -> None:
    actor = someone()
    for _ in range(addresses.MAX_ADDRESSES):
        await db.transact(lambda tx: api.save_address(tx, actor, address=BERLIN))
    with pytest.raises(TooManyAddresses):
        await db.transact(lambda tx: api.save_address(tx, actor, address=BERLIN))


async def test_the_routes(make_client: Callable[..., Client]) -> None:
    client = make_client(routes)
    address: dict[str, Any] = msgspec.to_builtins(BERLIN)
    checked = await client.post("/api/v1/addresses/check", json=address)
    assert checked.status_code == 200
    assert checked.json()["lines"][-2:] == ["10117 BERLIN", "GERMANY"]
    bad = await client.post("/api/v1/addresses/check", json=address | {"postal_code": "x"})
    assert bad.status_code == 422
    assert bad.json()["problems"][0]["path"] == "postal_code"
    assert (await client.get("/api/v1/addresses")).status_code == 401
    client.act_as.actor = someone()
    made = await client.post("/api/v1/addresses", json={"address": address, "label": "Home"})
    assert made.status_code == 201
    url = f"/api/v1/addresses/{made.json()['id']}"
    moved = address | {"line1": "Am Lustgarten 1"}
    assert (await client.put(url, json={"address": moved})).status_code == 204
    listed = (await client.get("/api/v1/addresses")).json()["items"]
    assert [item["address"]["line1"] for item in listed] == ["Am Lustgarten 1"]
    client.act_as.actor = someone()
    assert (await client.delete(url)).status_code == 404
    assert (await client.get("/api/v1/addresses")).json()["items"] == []
