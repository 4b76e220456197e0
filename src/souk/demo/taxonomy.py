"""The demo marketplace's category tree and the typed attributes of each branch."""

from __future__ import annotations

from souk.demo.model import AttributeSpec, CategorySpec

_BRAND = AttributeSpec("brand", "Brand", "text")
_COLOUR = AttributeSpec("colour", "Colour", "text")
PLANT_ATTRIBUTES = [
    AttributeSpec("water", "Water", "choice", ["none", "low", "moderate"]),
    AttributeSpec("light", "Light", "multi_choice", ["sun", "part shade", "shade"]),
    AttributeSpec("bloom", "Bloom", "multi_choice", ["spring", "summer", "fall", "winter"]),
    AttributeSpec(
        "flower_colour", "Flower colour", "multi_choice",
        ["white", "yellow", "orange", "red", "pink", "magenta", "purple", "lavender", "indigo",
         "blue", "burgundy", "brown", "green"],
    ),
    AttributeSpec("height", "Height at maturity", "number", unit="cm"),
    AttributeSpec("soil", "Soil", "multi_choice", ["clay", "loam", "sand", "rock"]),
    AttributeSpec("zone", "Hardy to USDA zone", "number"),
    AttributeSpec(
        "wildlife", "Good for", "multi_choice",
        ["bees", "birds", "butterflies", "hummingbirds", "insects", "small mammals"],
    ),
    AttributeSpec("evergreen", "Evergreen", "boolean"),
]  # fmt: skip
_APPLIANCE = [
    _BRAND,
    AttributeSpec("wattage", "Power", "number", unit="W"),
    AttributeSpec("voltage", "Voltage", "text"),
    AttributeSpec("warranty", "Warranty", "number", unit="years"),
    AttributeSpec("capacity", "Capacity", "text"),
    AttributeSpec("runtime", "Runtime", "number", unit="minutes"),
    AttributeSpec("coverage", "Room size", "text"),
    AttributeSpec("connectivity", "Connectivity", "choice", ["WiFi + App", "App"]),
]
_APPAREL = [
    _BRAND,
    AttributeSpec("material", "Material", "multi_choice",
                  ["Cotton", "Elastane", "Polyester", "Wool"]),
]  # fmt: skip
_DIGITAL = [
    AttributeSpec("format", "File format", "multi_choice",
                  ["CSV", "Markdown", "SVG", "BDF", "TXT", "WAV"]),
    AttributeSpec("pages", "Pages", "number"),
]  # fmt: skip


def _branch(parent: str, children: dict[str, str]) -> list[CategorySpec]:
    return [CategorySpec(slug, name, parent) for slug, name in children.items()]


CATEGORIES = [
    CategorySpec("plants", "Plants", None, "Living plants, sent when the weather allows it.",
                 PLANT_ATTRIBUTES),
    *_branch("plants", {
        "trees": "Trees", "shrubs": "Shrubs", "perennials": "Perennials", "grasses": "Grasses",
        "annuals": "Annuals", "climbers": "Climbers", "fruit-and-crops": "Fruit and crops",
    }),
    CategorySpec("outdoor", "Outdoor", None, "For going up, down and far.", [_BRAND, _COLOUR]),
    *_branch("outdoor", {
        "footwear": "Footwear", "climbing": "Climbing", "ski-and-board": "Ski and board",
        "bags": "Bags", "navigation": "Navigation", "trekking": "Trekking", "jackets": "Jackets",
        "cycling": "Cycling",
    }),
    CategorySpec("appliances", "Appliances", None, "Machines for the home.", _APPLIANCE),
    *_branch("appliances", {
        "kitchen": "Kitchen", "air-and-climate": "Air and climate", "garment-care": "Garment care",
        "floor-care": "Floor care", "personal-care": "Personal care",
    }),
    *_branch("kitchen", {
        "coffee-machines": "Coffee machines", "air-fryers": "Air fryers", "blenders": "Blenders",
        "kettles": "Kettles", "toasters": "Toasters", "food-processors": "Food processors",
    }),
    *_branch("air-and-climate", {
        "air-purifiers": "Air purifiers", "humidifiers": "Humidifiers", "fans": "Fans",
    }),
    *_branch("garment-care", {
        "steam-generators": "Steam generators", "handheld-steamers": "Handheld steamers",
        "irons": "Irons",
    }),
    *_branch("floor-care", {
        "cordless-vacuums": "Cordless vacuums", "upright-vacuums": "Upright vacuums",
        "robot-vacuums": "Robot vacuums",
    }),
    *_branch("personal-care", {
        "hair-dryers": "Hair dryers", "hair-straighteners": "Hair straighteners",
        "trimmers": "Trimmers", "electric-shavers": "Electric shavers",
    }),
    CategorySpec("apparel", "Apparel", None, "Small runs, fair seams.", _APPAREL),
    *_branch("apparel", {
        "sneakers": "Sneakers", "sweatshirts": "Sweatshirts", "t-shirts": "T-shirts",
        "polo-shirts": "Polo shirts", "beanies": "Beanies", "scarfs": "Scarfs",
        "sunglasses": "Sunglasses",
    }),
    CategorySpec("home", "Home and garden", None, "For the room and the vegetable patch.",
                 [_BRAND, _COLOUR]),
    *_branch("home", {"indoor": "Indoor", "garden": "Garden", "homewares": "Homewares"}),
    CategorySpec("groceries", "Groceries", None, "Bottled and packed.", [
        AttributeSpec("flavour", "Flavour", "text"),
        AttributeSpec("volume", "Volume", "number", unit="ml"),
    ]),
    *_branch("groceries", {"juices": "Juices"}),
    CategorySpec("downloads", "Downloads", None, "Files, ready at once.", _DIGITAL),
    *_branch("downloads", {
        "calendars-and-guides": "Calendars and guides", "printables": "Printables",
        "fonts": "Fonts", "audio": "Audio",
    }),
]  # fmt: skip

# How the sources call their categories.
ESHOP = {
    "Footwear": "footwear", "Climbing": "climbing", "Ski/boarding": "ski-and-board",
    "Bags": "bags", "Navigation": "navigation", "Trekking": "trekking", "Jackets": "jackets",
    "Cycling": "cycling",
}  # fmt: skip
PLANT_TYPES = {
    "Tree (evergreen)": "trees", "Tree (deciduous)": "trees", "Shrub (evergreen)": "shrubs",
    "Shrub (deciduous)": "shrubs", "Perennial": "perennials", "Grass": "grasses",
    "Annual": "annuals", "Vine": "climbers",
}  # fmt: skip


def slug_of(name: str) -> str:
    """The slug of a category by its English name, as the sources write it."""
    wanted = name.casefold()
    return next(spec.slug for spec in CATEGORIES if spec.name.casefold() == wanted)
