"""What the customers of the demo say, by what they bought and how content they are."""

from __future__ import annotations

import random

import msgspec

_WEAR = {
    "bags", "beanies", "footwear", "jackets", "polo-shirts", "scarfs", "sneakers", "sunglasses",
    "sweatshirts", "t-shirts",
}  # fmt: skip
_OUTDOOR = {"climbing", "cycling", "navigation", "ski-and-board", "trekking"}
_HOME = {"garden", "homewares", "indoor"}


class Voices(msgspec.Struct, frozen=True):
    """Sentences of the content, the undecided and the disappointed."""

    good: tuple[str, ...]
    mixed: tuple[str, ...]
    bad: tuple[str, ...]

    def of(self, stars: int) -> tuple[str, ...]:
        return self.good if stars >= 4 else self.mixed if stars == 3 else self.bad


_ABOUT = {
    "plant": Voices(
        (
            "Strong roots, and a bud already showing after two weeks.",
            "It came in moist paper with the soil tied down, not a leaf was bent.",
            "Larger than the one from my garden centre, and for less.",
            "Planted it the same evening. It has not even looked back.",
            "The label has the botanical name and how hardy it is. I wish everybody did that.",
            "Third one I order here. All of them came through the winter.",
            "Bees found it within a day.",
            "Healthy, no pests, and cut back properly before it was sent.",
            "The advice on how much light it wants was spot on.",
        ),
        (
            "Healthy, but smaller than I had thought. It will grow.",
            "Two leaves had yellowed on the way. It recovered after a week in the shade.",
            "A fine plant, though the pot was cracked when it arrived.",
            "Still sulking after a month. I give it until spring.",
        ),
        (
            "It dried out on the way and did not come back.",
            "The roots circled the pot several times. It should have been potted on long ago.",
            "What came was half as high as the page says.",
            "Greenfly on the undersides. Everything on my windowsill had to be washed.",
        ),
    ),
    "wear": Voices(
        (
            "True to size. The seams are clean inside, too.",
            "Worn every day for three weeks and it looks as it did.",
            "The cloth is heavier than I expected, in a good way.",
            "The colour is just as in the pictures.",
            "Comfortable from the first day.",
            "Washed four times, no pilling, no fading.",
            "Bought it for travelling and wear it at home all the time.",
        ),
        (
            "Good cloth, but it runs a size small.",
            "The cut is fine. The colour is darker than on my screen.",
            "Comfortable once worn in. The first week was not.",
            "Nice, yet for the price I had hoped for a better zip.",
        ),
        (
            "The seam at the side opened on the second day.",
            "Too short for anybody above average height.",
            "It smells of the factory even after two washes.",
            "It looked worn out after a month.",
        ),
    ),
    "outdoor": Voices(
        (
            "Four days in the rain and everything inside stayed dry.",
            "Light enough that I forget I carry it.",
            "It can be worked with gloves on. Somebody thought of that.",
            "Took it up to three thousand metres. Not a complaint.",
            "Easy to set, holds where it should, and it packs small.",
            "My old one lasted twelve years. This one feels as if it will, too.",
            "Exactly the weight that is stated. I put it on the kitchen scales.",
        ),
        (
            "Does what it should, no more and no less.",
            "Good gear, but the instructions are two lines in tiny print.",
            "Sturdy. A little heavier than others of its kind.",
            "The first tour was fine. I will see how the coating holds.",
        ),
        (
            "A part came off on the first tour. That must not happen up there.",
            "The measurements on the page are not right, at least for mine.",
            "Not made for rain, whatever the page says.",
            "It squeaks with each step and I could not find out why.",
        ),
    ),
    "machine": Voices(
        (
            "Quieter than my old one, and twice as quick.",
            "Two buttons, no app, no account. That is how it should be.",
            "Easy to take apart and clean, which is what counts in the end.",
            "In use every morning for six weeks now.",
            "The cable is long enough for our kitchen, for once.",
            "Heats up in no time and switches off by itself.",
            "Solid, does not wander about on the worktop.",
        ),
        (
            "Works well. It is louder than the page makes one think.",
            "Good results, but the beep cannot be switched off.",
            "Fine machine, thin manual. I found out most of it by trying.",
            "Needs more room than I had measured for it.",
        ),
        (
            "It stopped after nine days. The light comes on and nothing else.",
            "The lid does not close properly any more.",
            "Smells of hot plastic even after a dozen uses.",
            "The plug was the wrong one for my country.",
        ),
    ),
    "home": Voices(
        (
            "Simple, well made, and no plastic around it.",
            "Stands in the living room as if it had always been there.",
            "The glaze is even and it does not drip when pouring.",
            "Smaller details are done with care: rounded edges, felt on the bottom.",
            "Bought one as a present and went back for a second one for myself.",
            "My mother asked where it is from. That says it all.",
        ),
        (
            "Pretty, but it scratches easily.",
            "Good, though the colour leans more to green than to blue.",
            "A bit wobbly on our old floor. A folded card helped.",
        ),
        (
            "It arrived in two pieces that should have been one.",
            "Thinner than it looks in the pictures.",
            "The finish came off on the first damp cloth.",
        ),
    ),
    "food": Voices(
        (
            "Tastes of fruit and not of sugar.",
            "All bottles came whole, wrapped one by one.",
            "The children ask for it, which does not happen often.",
            "Best before date is a year from now. We will be quicker.",
        ),
        (
            "Good, if a little sweet for me.",
            "Nice taste. One of the caps had leaked a few drops.",
        ),
        ("One of the bottles was broken and all the rest sticky.", "Far too sweet."),
    ),
    "digital": Voices(
        (
            "Downloaded within a minute of paying, prints sharply on A3.",
            "Clear, well set, and the index is useful.",
            "Short, with only what one needs to know month by month.",
            "Opens on everything I tried: phone, tablet and an old laptop.",
            "Hangs above the potting bench now.",
            "The drawings alone are worth it.",
            "No nonsense and no advertising inside.",
        ),
        (
            "Useful, but I would have liked a version in A4 without a border.",
            "Good content. The file name says nothing about what is inside.",
            "Pretty, though my printer cuts two millimetres off the edge.",
        ),
        (
            "Half of the pages are pictures. I had expected more text.",
            "Made for another climate than mine. The page could say so.",
        ),
    ),
    "secondhand": Voices(
        (
            "In better condition than described. Hardly a trace of use.",
            "Honest pictures, every scratch was shown.",
            "Cleaned, checked, and it works like a new one.",
            "A good price for something that will last another ten years.",
            "Even the original box was there.",
        ),
        (
            "As described, with one scratch more than in the pictures.",
            "Works well. It could have been dusted before sending.",
        ),
        (
            "Described as good, but the handle is glued.",
            "It smells of cellar. A week on the balcony has not helped.",
        ),
    ),
}
_SHOP = Voices(
    (
        "Sent the same day, and a kind note was in the parcel.",
        "Answered my question within an hour.",
        "Packed in old newspaper and straw. Nothing broken, nothing to feel bad about.",
        "Quick, friendly, and everything was right. I will order again.",
        "One thing was missing and was sent on without any discussion.",
        "You can tell that these people know what they sell.",
        "Second order, same care. Thank you.",
        "The parcel came a day earlier than announced.",
        "Small shop, big heart. The handwritten label made me smile.",
        "Fair postage and proper packing. What more is there to want.",
        "I asked for a later delivery because of a holiday and it was no problem at all.",
        "Good advice before buying, and no attempt to sell me the larger one.",
        "Invoice, instructions, everything was in the parcel.",
        "Sent on Monday, here on Wednesday, across two borders.",
        "My third shop on this market and the best so far.",
        "The return of the wrong size was arranged in one message.",
        "Tracking worked, the driver did not, but that is not the shop's fault.",
    ),
    (
        "All right in the end, though it took a week until it was sent.",
        "Good things, thin packing.",
        "Friendly, but one has to ask twice.",
    ),
    (
        "Four days of silence, then a tracking number that did not work.",
        "Sent late and the parcel had been opened.",
        "No answer to two messages.",
    ),
)
_ADDED = Voices(
    (
        "Would buy it again.",
        "Thank you!",
        "Happy with it.",
        "Clear recommendation from me.",
        "Delivery was quick, too.",
        "Well packed.",
        "Good value.",
    ),
    ("All in all it is fine.", "Not bad, not great.", "I keep it.", "Delivery was quick, though."),
    ("I had expected more.", "A pity.", "Not again.", "The pictures promise something else."),
)
_REPLIES = (
    "Thank you for taking the time. It is good to read that it arrived well.",
    "Thank you! We will tell the one who packed it.",
    "That makes our day. We hope to see you again.",
    "Thank you, and much pleasure with it.",
)
_SORRY = (
    "We are sorry about that. Please write to us from your order, and we will send another one.",
    "Thank you for saying so plainly. We have changed the description.",
    "That is not how it should be. Please send it back at our cost, or tell us what would help.",
    "We looked into it: the parcel stood at the depot for three days. We are sorry.",
)


def topic_of(*, category: str, kind: str, plant: bool) -> str:
    """Which sentences fit a listing."""
    if kind in {"digital", "secondhand"}:
        return kind
    if plant:
        return "plant"
    if category in _WEAR:
        return "wear"
    if category in _OUTDOOR:
        return "outdoor"
    if category == "juices":
        return "food"
    return "home" if category in _HOME else "machine"


def stars(rng: random.Random) -> int:
    """Mostly content, as customers of good shops are."""
    return rng.choices((5, 4, 3, 2, 1), (55, 26, 10, 5, 4))[0]


def words(rng: random.Random, topic: str, given: int) -> str:
    """None to three sentences about something that was bought."""
    length = rng.choices((0, 1, 2, 3), (8, 34, 40, 18))[0]
    if given <= 3:
        length = max(length, 1)
    said = rng.sample(_ABOUT[topic].of(given), min(length, 2))
    if length == 3 or (length == 2 and rng.random() < 0.4):
        said = [*said[: length - 1], rng.choice(_ADDED.of(given))]
    return " ".join(said)


def words_for_shop(rng: random.Random, given: int) -> str:
    """One or two sentences about a seller."""
    return " ".join(rng.sample(_SHOP.of(given), rng.choice((1, 1, 2))))


def reply(rng: random.Random, given: int) -> str:
    """What a seller answers."""
    return rng.choice(_REPLIES if given >= 4 else _SORRY)
