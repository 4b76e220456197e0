"""Every message is rendered: valid, complete, safe, in the width of a mail."""

from __future__ import annotations

import re
import subprocess
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from souk.contexts.notifications import contents
from souk.contexts.notifications.domain import Letter, Say
from souk.contexts.notifications.rendering import mail_of
from souk.kernel.ids import uuid7
from souk.platform.mail import Mail, compose

LINK = "https://souk.example/verify-email?token=abc.def"
LINES = [
    contents.Bought("Monstera deliciosa", "Pot 12 cm", 2, 2_490),
    contents.Bought("Field guide to ferns", "PDF", 1, 1_900),
]
EXAMPLES: list[contents.AnyContent] = [
    contents.ReviewWanted(order_id=uuid7(), number="7KQM-42XD", titles=["Field guide to ferns"]),
    contents.ReviewReceived(
        review_id=uuid7(), title="Monstera", of_shop=False, stars=2, text="It came <b>broken</b>."
    ),
    contents.ReviewReceived(review_id=uuid7(), title="Fern & Co", of_shop=True, stars=5, text=""),
    contents.ReviewAnswered(title="Monstera", seller="Fern & Co", text="We are sorry. " * 40),
    contents.ReviewShown(title="Monstera", reason=""),
    contents.ReviewShown(title="Monstera", reason="It was held by mistake."),
    contents.ReviewHidden(title="Monstera", reason="It names the address of a private person."),
    contents.Welcome(name="Ada"),
    contents.ResetPassword(name="Ada"),
    contents.ConfirmNewEmail(name="Ada", new_email="new@example.com"),
    contents.ConfirmOldEmail(name="Ada", new_email="new@example.com"),
    contents.AddressTaken(name="Ada"),
    contents.CartWaiting(name="Ada", titles=["Olive tree (18 cm)", "Field guide"], more=2),
    contents.PasswordChanged(name="Ada"),
    contents.NewSignIn(name="Ada"),
    contents.PurchaseConfirmed(
        order_id=uuid7(),
        number="7KQM-42XD",
        currency="EUR",
        lines=LINES,
        delivery=490,
        discount=100,
        tax=612,
        total=5_392,
        has_digital=True,
    ),
    contents.Sale(
        seller_order_id=uuid7(),
        number="7KQM-42XD",
        currency="EUR",
        lines=LINES,
        total=4_390,
        earning=3_900,
        to_ship=True,
    ),
    contents.Sale(
        seller_order_id=uuid7(),
        number="7KQM-42XD",
        currency="EUR",
        lines=LINES[1:],
        total=1_900,
        earning=1_672,
        to_ship=False,
    ),
    contents.Shipped(
        order_id=uuid7(),
        number="7KQM-42XD",
        seller="Fern & Co",
        carrier="DHL",
        tracking_number="0034",
        estimate_from=date(2026, 11, 24),
        estimate_to=date(2026, 11, 27),
    ),
    contents.Shipped(
        order_id=uuid7(), number="7KQM-42XD", seller="Fern & Co", carrier="DHL", tracking_number=""
    ),
    contents.Delivered(order_id=uuid7(), number="7KQM-42XD", seller="Fern & Co"),
    contents.DownloadReady(order_id=uuid7(), number="7KQM-42XD", titles=["Field guide to ferns"]),
    contents.OrderCancelled(
        order_id=uuid7(), number="7KQM-42XD", seller="Fern & Co", reason="Eaten by slugs."
    ),
    contents.OrderCancelled(order_id=uuid7(), number="7KQM-42XD", seller="Fern & Co", reason=""),
    contents.LowStock(variant_id=uuid7(), name="Fern & Co: 3 L", on_hand=2),
    contents.LowStock(variant_id=uuid7(), name="Fern & Co: 3 L", on_hand=0),
    contents.LinesCancelled(
        order_id=uuid7(),
        number="7KQM-42XD",
        seller="Fern & Co",
        reason="1 × Fern cancelled: it froze.",
        refund=1_900,
        currency="EUR",
    ),
    contents.LinesCancelled(
        order_id=uuid7(),
        number="7KQM-42XD",
        seller="Fern & Co",
        reason="1 × Fern cancelled: the seller does not answer.",
        refund=1_900,
        currency="EUR",
        by_us=True,
    ),
    contents.PaymentFailed(checkout_id=uuid7(), amount=5_392, currency="EUR"),
    contents.Refunded(order_id=uuid7(), number="7KQM-42XD", amount=1_900, currency="JPY"),
    contents.Refunded(order_id=None, number="7KQM-42XD", amount=1_900, currency="EUR"),
    contents.SoldOutRefunded(amount=5_392, currency="EUR"),
    contents.SellerApproved(shop="Fern & Co"),
    contents.SellerRejected(shop="Fern & Co", reason="The documents cannot be read."),
    contents.SellerAsked(shop="Fern & Co", question="Which country are you in?"),
    contents.ListingApproved(listing_id=uuid7(), title="Monstera"),
    contents.ListingRejected(listing_id=uuid7(), title="Monstera", reason="No picture."),
    contents.ListingTakenDown(listing_id=uuid7(), title="Monstera", reason="A forgery."),
    *(
        contents.SaleCancelled(
            seller_order_id=uuid7(), number="7KQM-42XD", reason="Sold twice.", whole=whole
        )
        for whole in (True, False)
    ),
    contents.KeysMissing(seller_order_id=uuid7(), number="7KQM-42XD", count=3),
    contents.Digest(weekly=False, told=[contents.Told("You made a sale", "Accept it.")], more=0),
    contents.Digest(weekly=True, told=[contents.Told("You made a sale", "Accept it.")], more=3),
]
IDS = [f"{contents.kind_of(example)}-{index}" for index, example in enumerate(EXAMPLES)]
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}


class Outline(HTMLParser):
    """Checks that elements nest, and gathers text, links and headings."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.problems: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "a":
            self.links.append(dict(attrs).get("href") or "")
        if tag == "img" and not dict(attrs).get("alt"):
            self.problems.append("an image without alternative text")

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        self.text += data


def letter_of(content: contents.AnyContent, say: Say) -> Letter:
    return content.letter(say, link=LINK)


def rendered(content: contents.AnyContent, locale: str = "en") -> Mail:
    say = Say(locale, marketplace="Green Souk")
    return mail_of(
        letter_of(content, say),
        say,
        to="ada@example.com",
        base_url="https://souk.example/",
        message_id=uuid7(),
    )


def test_there_is_an_example_of_every_content() -> None:
    assert {type(example) for example in EXAMPLES} == set(get_args(contents.AnyContent))


@pytest.mark.parametrize("content", EXAMPLES, ids=IDS)
@pytest.mark.parametrize("locale", ["en", "de", "ar"])
def test_every_message_is_valid_and_complete(content: contents.AnyContent, locale: str) -> None:
    mail = rendered(content, locale)
    letter = letter_of(content, Say(locale, marketplace="Green Souk"))
    page = Outline()
    page.feed(re.sub(r"<!--.*?-->", "", mail.html, flags=re.S))
    page.close()
    assert page.problems == []
    assert page.open == []
    assert page.tags.count("h1") == page.tags.count("title") == 1
    said = " ".join(page.text.split())
    plain = " ".join(mail.plain.split())
    for words in (letter.heading, *letter.paragraphs, *(row.label for row in letter.rows)):
        assert " ".join(words.split()) in said
        assert " ".join(words.split()) in plain
    if letter.action:
        url = letter.path if letter.path.startswith(LINK) else f"https://souk.example{letter.path}"
        assert url in page.links
        assert url in mail.plain
    assert "Green Souk" in said
    assert f'dir="{"rtl" if locale == "ar" else "ltr"}"' in mail.html
    assert not re.search(r"\{[{%]|%\}|\}\}", mail.html + mail.plain)
    assert "http:" not in mail.html.replace("http://www.w3.org", "")
    assert len(mail.html) < 100_000, "mail programs cut longer messages"
    assert compose(mail, sender="Souk <no-reply@souk.example>").as_bytes()


@pytest.mark.parametrize("content", EXAMPLES, ids=IDS)
def test_what_is_stored_is_what_is_read_back(content: contents.AnyContent) -> None:
    stored = msgspec.json.encode(content)
    assert msgspec.json.decode(stored, type=contents.AnyContent) == content
    assert b"token" not in stored.replace(b"tracking_number", b"")


def test_names_cannot_write_markup_or_headers() -> None:
    evil = '"><script>alert(1)</script>\r\nBcc: everyone@example.com {{ 7*7 }} {name}'
    content = contents.ListingRejected(listing_id=uuid7(), title=evil, reason=evil)
    mail = rendered(content)
    assert "<script>" not in mail.html
    assert "49" not in mail.subject
    assert "\n" not in mail.subject
    message = compose(mail, sender="Souk <no-reply@souk.example>")
    assert message["Bcc"] is None


def test_money_and_dates_are_written_as_the_reader_does() -> None:
    say = Say("de", marketplace="Souk")
    assert say.money(123_456, "EUR") == "1.234,56\xa0€"
    assert say.day(date(2026, 11, 21)) == "21. November 2026"
    assert Say("en", marketplace="").money(500, "JPY") == "¥500"
    assert Say("not a locale!", marketplace="").locale == "en"
    assert Say("pt-BR", marketplace="").money(100, "BRL") == "R$\xa01,00"


@pytest.mark.browser
def test_a_mail_fits_its_width(tmp_path: Path) -> None:
    """600 pixels wide on a desk, and nothing sticks out on a telephone."""
    page = tmp_path / "mail.html"
    probe = (
        "<script>document.title=[document.documentElement.scrollWidth,innerWidth].join('/')"
        ";document.body.setAttribute('data-width',document.title)</script></body>"
    )
    page.write_text(rendered(EXAMPLES[7]).html.replace("</body>", probe), encoding="utf-8")
    for width in (600, 500):
        dom = subprocess.run(
            [
                "chromium",
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                f"--user-data-dir={tmp_path / 'profile'}",
                f"--window-size={width},900",
                "--dump-dom",
                page.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        found = re.search(r'data-width="(\d+)/(\d+)"', dom)
        assert found is not None
        assert int(found.group(1)) <= int(found.group(2))
