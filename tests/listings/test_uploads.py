from __future__ import annotations

import asyncio
import struct
import zlib

import pytest
import pyvips

from souk.contexts.listings import api, http, jobs, pictures
from souk.contexts.listings.errors import BadFile, BadImage, NotDigital, TooManyImages
from souk.contexts.listings.uploads import MakeRenditions, RemoveObjects
from souk.kernel.errors import InvalidInput, NotFound
from souk.kernel.ids import uuid7
from tests.listings import factories


def picture(width=400, height=300, format=".jpg", **options) -> bytes:
    noise = pyvips.Image.gaussnoise(width, height, mean=128, sigma=40).cast("uchar")
    return (
        noise.bandjoin([noise, noise])
        .copy(interpretation="srgb")
        .write_to_buffer(format, **options)
    )


def rotated() -> bytes:
    image = pyvips.Image.new_from_buffer(picture(400, 300), "").copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", 6)
    image.set_type(pyvips.GValue.gstr_type, "exif-ifd0-ImageDescription", "secret place")
    return image.write_to_buffer(".jpg")


def png_claiming(width: int, height: int) -> bytes:
    """A PNG that says it is huge and has next to no data."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("format", [".jpg", ".png", ".webp", ".avif"])
def test_pictures_of_every_taken_type_become_webp(format):
    made = pictures.prepare(picture(format=format))
    assert made.content[8:12] == b"WEBP"
    assert (made.width, made.height) == (400, 300)


def test_pictures_stand_upright_and_tell_nothing_of_where_they_were_taken():
    upload = rotated()
    assert b"secret place" in upload
    made = pictures.prepare(upload)
    assert (made.width, made.height) == (300, 400)
    assert b"secret place" not in made.content
    assert b"EXIF" not in made.content


def test_large_pictures_shrink():
    made = pictures.prepare(picture(3_000, 1_000))
    assert (made.width, made.height) == (2_048, 683)


def test_nothing_that_was_appended_to_a_picture_is_kept():
    script = b"<script>alert(1)</script>PK\x03\x04"
    assert b"script" not in pictures.prepare(picture() + script).content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<?xml version='1.0'?><svg/>",
        b"GIF89a/*<script>alert(1)</script>*/",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"\xff\xd8\xff" + b"not a jpeg at all",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\x00\x00\x00\x00WEBPjunk",
        b"\x00\x00\x00\x1cftypavifjunk",
        picture()[:2_000],
        png_claiming(60_000, 60_000),
        png_claiming(10_000, 10_000),
        png_claiming(1, 1),
        png_claiming(500, 500),
        b"\xff\xd8\xff" + b"\0" * pictures.MAX_BYTES,
    ],
)
def test_what_is_no_good_picture_is_refused(content):
    with pytest.raises(BadImage):
        pictures.prepare(content)


@pytest.fixture
def client(make_client):
    return make_client(http.routes)


async def test_a_picture_from_upload_to_its_sizes(client, db, services):
    actor = factories.seller_actor()
    listing = await factories.create(db, actor)
    client.act_as.actor = actor
    response = await client.post(
        f"/api/v1/listings/{listing.id}/images",
        files={"file": ("../../etc/leaf.png", picture(900, 600), "text/html")},
        data={"alt": "A leaf"},
    )
    assert response.status_code == 201, response.text
    (image,) = response.json()["images"]
    assert (image["alt"], image["width"], image["height"]) == ("A leaf", 900, 600)
    assert [part.split()[1] for part in image["srcset"].split(", ")] == [
        "320w", "480w", "640w", "900w",
    ]  # fmt: skip
    small = image["srcset"].split()[0]
    early = await client.get(small)
    assert early.headers["cache-control"] == "public, max-age=60"
    async with db.read() as conn:
        queued = await conn.fetchval(
            "SELECT count(*) FROM jobs.pgqueuer WHERE entrypoint = 'listings.make_renditions'"
            " AND convert_from(payload, 'UTF8') LIKE '%' || $1 || '%'",
            image["key"],
        )
    assert queued == 1
    await jobs.make_renditions(services, MakeRenditions(image["key"], 900))
    late = await client.get(small)
    assert late.headers["content-type"] == "image/webp"
    assert "immutable" in late.headers["cache-control"]
    assert len(late.content) < len(early.content)
    widest = await client.get(image["srcset"].split(", ")[-1].split()[0])
    assert "immutable" in widest.headers["cache-control"]
    assert len(widest.content) < len(early.content)
    gone = [f"{image['key']}/{name}.webp" for name in ("full", 320, 480, 640, 960)]
    await jobs.remove_objects(services, RemoveObjects(gone))
    await jobs.make_renditions(services, MakeRenditions(image["key"], 900))
    assert (await client.get(small)).status_code == 404


@pytest.mark.parametrize(
    "key",
    [
        "files/x/content",
        "../settings",
        "images/x/full.webp",
        f"images/{uuid7()}/full.webp",
        f"images/{uuid7()}/999.webp",
        f"files/{uuid7()}/content",
    ],
)
async def test_nothing_but_pictures_is_public(client, key):
    assert (await client.get(f"/media/{key}")).status_code == 404


async def test_uploads_that_are_refused(client, db):
    actor = factories.seller_actor()
    listing = await factories.create(db, actor)
    client.act_as.actor = actor
    url = f"/api/v1/listings/{listing.id}/images"
    svg = {"file": ("x.png", b"<svg onload='alert(1)'/>", "image/png")}
    refused = await client.post(url, files=svg)
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_image")
    large = {"file": ("x.jpg", b"\xff\xd8\xff" + b"\0" * (pictures.MAX_BYTES + 200_000))}
    assert (await client.post(url, files=large)).status_code == 413
    assert (await client.post(url, data={"file": "text"})).status_code == 422
    assert (await client.post(url, json={"file": 1})).status_code == 422
    client.act_as.actor = factories.seller_actor()
    other = await client.post(url, files={"file": ("x.jpg", picture())})
    assert other.status_code == 404


async def with_images(db, services, actor, listing, count):
    for _ in range(count):
        image = await api.store_image(services.files, picture(32, 32))
        listing = await db.transact(
            lambda tx, image=image, listing_id=listing.id: api.add_image(
                tx, actor, seller_id=actor.seller_id, listing_id=listing_id, image=image, alt=""
            )
        )
    return listing


async def test_at_most_ten_pictures_in_the_order_that_is_set(client, db, services):
    actor = factories.seller_actor()
    listing = await factories.create(db, actor)
    listing = await with_images(db, services, actor, listing, 10)
    with pytest.raises(TooManyImages):
        await with_images(db, services, actor, listing, 1)
    client.act_as.actor = actor
    base = f"/api/v1/listings/{listing.id}/images"
    ids = [str(image.id) for image in reversed(listing.images)]
    ordered = await client.put(f"{base}/order", json={"ids": ids})
    assert [image["id"] for image in ordered.json()["images"]] == ids
    for wrong in (ids[:-1], [*ids[:-1], ids[0]], [*ids[:-1], str(uuid7())]):
        assert (await client.put(f"{base}/order", json={"ids": wrong})).status_code == 422
    described = await client.patch(f"{base}/{ids[0]}", json={"alt": "Front"})
    assert described.json()["images"][0]["alt"] == "Front"
    assert (await client.patch(f"{base}/{uuid7()}", json={"alt": ""})).status_code == 404
    removed = await client.delete(f"{base}/{ids[0]}")
    assert [image["id"] for image in removed.json()["images"]] == ids[1:]
    assert (await client.delete(f"{base}/{ids[0]}")).status_code == 404


async def test_pictures_that_arrive_at_once_are_all_kept(db, services):
    actor = factories.seller_actor()
    listing = await factories.create(db, actor)
    stored = [await api.store_image(services.files, picture(32, 32)) for _ in range(6)]
    async with asyncio.TaskGroup() as group:
        for image in stored:
            group.create_task(
                db.transact(
                    lambda tx, image=image: api.add_image(
                        tx, actor, seller_id=actor.seller_id, listing_id=listing.id,
                        image=image, alt="",
                    )
                )
            )  # fmt: skip
    async with db.read() as conn:
        kept = (await api.own(conn, listing.id, seller_id=actor.seller_id)).images
    assert {image.id for image in kept} == {image.id for image in stored}


async def test_a_visible_listing_keeps_its_last_picture(db):
    actor = factories.seller_actor()
    listing = await factories.active(db, actor)
    async with db.read() as conn:
        (image,) = (await api.own(conn, listing.id, seller_id=actor.seller_id)).images
    with pytest.raises(InvalidInput) as error:
        await db.transact(
            lambda tx: api.remove_image(
                tx, actor, seller_id=actor.seller_id, listing_id=listing.id, image_id=image.id
            )
        )
    assert [problem.path for problem in error.value.problems] == ["images"]
    with pytest.raises(InvalidInput):
        await db.transact(
            lambda tx: api.describe_image(
                tx,
                actor,
                seller_id=actor.seller_id,
                listing_id=listing.id,
                image_id=image.id,
                alt="x" * 301,
            )
        )


async def test_digital_files_and_their_versions(client, db, services):
    actor = factories.seller_actor()
    listing = await factories.create(db, actor, kind=api.Kind.DIGITAL)
    client.act_as.actor = actor
    url = f"/api/v1/listings/{listing.id}/files"
    headers = {"content-type": "application/pdf"}
    first = await client.put(
        url, params={"filename": "C:\\books\\../guide.pdf"}, content=b"one", headers=headers
    )
    assert first.status_code == 201, first.text
    (file,) = first.json()["files"]
    assert (file["filename"], file["size"], file["version"]) == ("guide.pdf", 3, 1)
    assert file["sha256"] == "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
    second = await client.put(
        url, params={"filename": "guide.pdf"}, content=b"second", headers=headers
    )
    (newer,) = second.json()["files"]
    assert (newer["version"], newer["media_type"]) == (2, "application/pdf")
    async with db.read() as conn:
        item = (await api.purchasable(conn, [listing.variants[0].id])).popitem()[1]
        both = await api.files_for_delivery(conn, [file["id"], newer["id"], uuid7()])
    assert [str(each) for each in item.file_ids] == [newer["id"]]
    contents = {each.version: await services.files.get(each.key) for each in both.values()}
    assert contents == {1: b"one", 2: b"second"}
    gone = await client.delete(f"{url}/{newer['id']}")
    assert gone.json()["files"] == []
    assert (await client.delete(f"{url}/{newer['id']}")).status_code == 404


async def test_files_that_are_refused(client, db, services, monkeypatch):
    actor = factories.seller_actor()
    goods = await factories.create(db, actor)
    client.act_as.actor = actor
    url = f"/api/v1/listings/{goods.id}/files"
    refused = await client.put(url, params={"filename": "a.pdf"}, content=b"x")
    assert (refused.status_code, refused.json()["code"]) == (409, NotDigital.code)
    digital = await factories.create(db, actor, kind=api.Kind.DIGITAL)
    url = f"/api/v1/listings/{digital.id}/files"
    for name, content in (("a.pdf", b""), ("", b"x"), ("a/", b"x"), ("x" * 201, b"x")):
        refused = await client.put(url, params={"filename": name}, content=content)
        assert refused.status_code == 422, name
    client.act_as.actor = factories.seller_actor()
    assert (await client.put(url, params={"filename": "a"}, content=b"x")).status_code == 404

    async def chunks():
        yield b"12345"
        yield b"67890"

    monkeypatch.setattr("souk.contexts.listings.uploads.MAX_FILE_BYTES", 8)
    with pytest.raises(BadFile):
        await api.store_file(services.files, chunks(), filename="a.bin")


async def test_a_visible_digital_listing_keeps_its_last_file(db, services):
    actor = factories.seller_actor()
    listing = await factories.create(
        db, actor, kind=api.Kind.DIGITAL, category_id=uuid7(), category_path=[uuid7()]
    )

    async def chunks():
        yield b"book"

    file = await api.store_file(services.files, chunks(), filename="a.epub", media_type="<script>")
    assert file.media_type == "application/octet-stream"
    seller_id = actor.seller_id
    await db.transact(
        lambda tx: api.attach_file(tx, actor, seller_id=seller_id, listing_id=listing.id, file=file)
    )
    await db.transact(
        lambda tx: api.submit(
            tx, actor, seller_id=seller_id, listing_id=listing.id, in_stock=False, trusted=True
        )
    )
    with pytest.raises(InvalidInput):
        await db.transact(
            lambda tx: api.detach_file(
                tx, actor, seller_id=seller_id, listing_id=listing.id, file_id=file.id
            )
        )
    with pytest.raises(NotFound):
        await db.transact(
            lambda tx: api.detach_file(
                tx, actor, seller_id=seller_id, listing_id=listing.id, file_id=uuid7()
            )
        )
