"""A small marketplace to look at: two shops, goods with variants, a file, a second-hand find."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from souk.contexts.catalog import api as catalog
from souk.contexts.compliance import api as compliance
from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.contexts.listings import store as listing_store
from souk.contexts.listings.domain import SellerFacts
from souk.contexts.search import api as search
from souk.contexts.sellers import api as sellers
from souk.flows.index_listings.indexer import Indexer
from souk.kernel.actor import Actor, Role, system
from souk.kernel.ids import uuid7
from souk.platform.database import Database, WriteTx
from souk.platform.storage import FileStore

OPERATOR = system("tests")


@dataclass(frozen=True)
class World:
    """What there is to find and to buy."""

    plants: catalog.Category
    trees: catalog.Category
    files: catalog.Category
    nursery: sellers.Seller
    press: sellers.Seller
    olive: listings.Listing
    lavender: listings.Listing
    guide: listings.Listing
    lamp: listings.Listing


def seller_actor(seller: sellers.Seller) -> Actor:
    return Actor(
        kind="user",
        user_id=seller.user_id,
        seller_id=seller.id,
        roles=frozenset({Role.SELLER}),
        email_verified=True,
        name=seller.name,
    )


async def open_shop(db: Database, name: str) -> sellers.Seller:
    owner = Actor(kind="user", user_id=uuid7(), email_verified=True, name=name)
    application = sellers.Application(name=f"{name} {uuid7().hex[-5:]}", country="DE", bio=name)

    async def work(tx: WriteTx) -> sellers.Seller:
        made = await sellers.apply(tx, owner, application=application)
        made = await sellers.approve(tx, OPERATOR, seller_id=made.id)
        facts = SellerFacts(id=made.id, name=made.name, slug=made.slug)
        await listing_store.save_seller(tx, facts, suspended=False)
        return made

    return await db.transact(work)


async def put_up(
    db: Database,
    files: FileStore,
    shop: sellers.Seller,
    category: catalog.Category,
    *,
    title: str,
    kind: listings.Kind = listings.Kind.GOODS,
    prices: tuple[int, ...] = (2_490,),
    stock: int = 10,
    **more: object,
) -> listings.Listing:
    """A published listing with a picture and stock."""
    actor = seller_actor(shop)
    image_id = uuid7()
    await files.put(f"images/{image_id}/full.webp", _picture(title))
    sizes = ("12 cm", "18 cm", "24 cm")
    variants = [
        listings.VariantInput(
            price=price, options={"Pot": sizes[n]} if len(prices) > 1 else {}, weight_g=800
        )
        for n, price in enumerate(prices)
    ]
    new = listings.NewListing(
        kind=kind,
        title=title,
        currency="EUR",
        description=f"<p>{title}, <strong>described</strong> by its seller.</p>",
        category_id=category.id,
        category_path=category.path,
        variants=variants,
        **more,  # type: ignore[arg-type]
    )

    async def work(tx: WriteTx) -> listings.Listing:
        made = await listings.create(tx, actor, seller_id=shop.id, data=new)
        found = await listing_store.lock(tx, made.id, seller_id=None)
        assert found is not None
        listing, facts = found
        key = f"images/{image_id}"
        listing.images = [
            listings.Image(id=image_id, key=key, alt=title, width=640, height=640, size=9)
        ]
        if kind is listings.Kind.DIGITAL:
            listing.files = [_file(len(title), tx)]
        await listing_store.save(tx, listing, facts, images=True, files=True)
        await inventory.set_up(
            tx,
            actor,
            items=[
                inventory.StockSetUp(
                    variant.id, made.id, shop.id, stock, tracked=kind is not listings.Kind.DIGITAL
                )
                for variant in made.variants
            ],
        )
        await listings.submit(
            tx, actor, seller_id=shop.id, listing_id=made.id, in_stock=True, trusted=True
        )
        return await listings.any_state(tx, made.id)

    return await db.transact(work)


def _file(size: int, tx: WriteTx) -> listings.DigitalFile:
    return listings.DigitalFile(
        id=uuid7(),
        key=f"files/{uuid7()}",
        filename="guide.txt",
        media_type="text/plain",
        size=size,
        sha256="00" * 32,
        version=1,
        current=True,
        created_at=tx.clock.now(),
    )


def _picture(title: str) -> bytes:
    import pyvips

    colour = [40 + sum(title.encode()) * step % 180 for step in (1, 3, 7)]
    image = pyvips.Image.black(640, 640, bands=3) + colour
    return image.cast("uchar").webpsave_buffer(Q=60)


async def build(db: Database, files: FileStore, *, stock: int = 10) -> World:
    """The whole of it; `stock` pieces of each of the goods."""

    async def tree(tx: WriteTx) -> tuple[catalog.Category, catalog.Category, catalog.Category]:
        await compliance.install_defaults(tx, marketplace="Souk")
        plants = await catalog.create_category(tx, OPERATOR, name="Plants", slug=_slug("plants"))
        trees = await catalog.create_category(
            tx, OPERATOR, name="Trees", slug=_slug("trees"), parent_id=plants.id
        )
        papers = await catalog.create_category(tx, OPERATOR, name="Files", slug=_slug("files"))
        attribute = await catalog.create_attribute(
            tx, OPERATOR, code=f"light_{uuid7().hex[-6:]}", name="Light",
            type=catalog.AttributeType.CHOICE, choices=["sun", "shade"],
        )  # fmt: skip
        await catalog.assign_attribute(
            tx, OPERATOR, category_id=plants.id, attribute_id=attribute.id, facet=True
        )
        return plants, trees, papers

    plants, trees, papers = await db.transact(tree)
    async with db.read() as conn:
        [light] = [a.attribute.code for a in await catalog.attributes_for(conn, plants.id)]
    nursery, press = await open_shop(db, "Vivaio Doria"), await open_shop(db, "North Press")
    olive = await put_up(
        db,
        files,
        nursery,
        trees,
        title="Olive tree",
        prices=(2_490, 3_990),
        stock=stock,
        attributes={light: "sun"},
    )
    lavender = await put_up(
        db, files, nursery, plants, title="Lavender", prices=(690,), stock=stock,
        attributes={light: "shade"},
    )  # fmt: skip
    guide = await put_up(
        db, files, press, papers, title="Olive growing guide", kind=listings.Kind.DIGITAL,
        prices=(900,),
    )  # fmt: skip
    lamp = await put_up(
        db, files, press, papers, title="Reading lamp", kind=listings.Kind.SECONDHAND,
        prices=(4_500,), stock=1, condition=listings.Condition.GOOD, location="Leipzig",
        condition_note="The shade has a scratch.",
    )  # fmt: skip
    return World(plants, trees, papers, nursery, press, olive, lavender, guide, lamp)


@dataclass(frozen=True)
class Aisle:
    """A category of more listings than a page shows, and a plant whose needs are known."""

    herbs: catalog.Category
    palm: listings.Listing


async def fill_aisle(db: Database, files: FileStore, world: World, *, count: int = 25) -> Aisle:
    """What `build` is too small for: pages to turn, a species with its care."""

    async def prepare(tx: WriteTx) -> tuple[catalog.Category, UUID]:
        herbs = await catalog.create_category(
            tx, OPERATOR, name="Herbs", slug=_slug("herbs"), parent_id=world.plants.id
        )
        care = catalog.Care(light=["sun"], water="low", height_min_cm=100, height_max_cm=900)
        facts = catalog.SpeciesInput(
            scientific_name=f"Phoenix canariensis {uuid7().hex[-5:]}", family="Arecaceae",
            zone_min="9a", zone_max="11b", care=care,
        )  # fmt: skip
        species = await catalog.create_species(tx, OPERATOR, data=facts)
        return herbs, species.id

    herbs, species_id = await db.transact(prepare)
    for number in range(1, count + 1):
        await put_up(
            db, files, world.nursery, herbs, title=f"Thyme {number}", prices=(200 + number,)
        )
    palm = await put_up(
        db, files, world.nursery, world.trees, title="Date palm", prices=(5_900,),
        species_id=species_id, live_plant=True,
    )  # fmt: skip
    return Aisle(herbs, palm)


def _slug(name: str) -> str:
    return f"{name}-{uuid7().hex[-6:]}"


async def index(db: Database, engine: search.SearchEngine) -> None:
    """Have search know everything that is listed."""
    await Indexer(db, engine).rebuild()
    engine.refresh()
