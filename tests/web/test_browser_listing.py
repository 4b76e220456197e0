"""The listings desk in a real browser: the editor, pictures, variants and the import."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.web.conftest import Visits
from tests.web.live import Market
from tests.web.stalls import open_stall, picture
from tests.web.visits import DESK_WAYS, Person, Way

pytestmark = pytest.mark.browser
FILE = (
    "Artikel;Preis;Bestand\nFeige;12,50;3\nQuitte;auf Anfrage;1\nMispel;9,00;2;x\nSchlehe;7,50;4\n"
)


@pytest.fixture(scope="module")
def seller(market: Market) -> Person:
    return open_stall(market.db_url)


def new_draft(page: Page, market: Market, title: str) -> None:
    page.goto(f"{market.url}/sell/listings/new")
    page.get_by_label("Title").fill(title)
    page.get_by_label("Price").fill("24.90")
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()


def over_the_edge(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_editor_saves_while_typing_and_tells_of_another_window(
    market: Market, visit: Visits, seller: Person, width: int
) -> None:
    page = visit(Way("desk", width), seller).page
    new_draft(page, market, "Medlar tree")
    state = page.locator("#editor-state")
    page.get_by_label("Description", exact=True).fill("It bears after the first frost.")
    # The checklist is drawn from what is stored.
    expect(page.get_by_text("A description", exact=True)).to_be_visible()
    expect(state).to_contain_text(re.compile("^Saved "))
    expect(page.locator("[data-seo-text]")).to_have_text("It bears after the first frost.")
    page.get_by_label("Price", exact=True).fill("much")
    expect(state).to_contain_text("Write an amount such as 12.50.")
    page.get_by_label("Price", exact=True).fill("26.00")
    expect(state).to_contain_text(re.compile("^Saved "))
    second = page.context.new_page()
    second.goto(page.url)
    expect(second.get_by_label("Description", exact=True)).to_have_value(
        "It bears after the first frost."
    )
    expect(second.get_by_label("Price", exact=True)).to_have_value("26.00")
    second.get_by_label("Title", exact=True).fill("Medlar, grafted")
    expect(second.locator("#editor-state")).to_contain_text(re.compile("^Saved "))
    page.get_by_label("Title", exact=True).fill("Medlar tree, old")
    expect(page.get_by_role("alert")).to_contain_text("Somebody changed this listing")
    assert over_the_edge(page) <= 0


def test_saving_waits_for_what_is_being_saved(
    market: Market, visit: Visits, seller: Person
) -> None:
    page = visit(Way("desk", 1280), seller).page
    new_draft(page, market, "Cornel")
    held: list[tuple[Route, APIResponse]] = []
    # It has arrived, and the answer is late: a form sent now would not know of it.
    page.route("**/autosave", lambda route: held.append((route, route.fetch())))
    with page.expect_request("**/autosave"):
        page.get_by_label("Description", exact=True).fill("Its fruit is sour until it is soft.")
    while not held:
        page.wait_for_timeout(20)
    page.get_by_role("button", name="Save draft").click()
    route, answer = held[0]
    route.fulfill(response=answer)
    page.unroute("**/autosave")
    expect(page.locator("#toasts")).to_contain_text("Saved")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_label("Description", exact=True)).to_have_value(
        "Its fruit is sour until it is soft."
    )


@pytest.mark.parametrize("way", DESK_WAYS)
def test_pictures_travel_together_and_move_by_button_and_by_drag(
    market: Market, visit: Visits, seller: Person, tmp_path: Path, way: Way
) -> None:
    page = visit(way, seller).page
    new_draft(page, market, "Quince")
    wrong = tmp_path / "notes.png"
    wrong.write_text("no picture")
    good = [picture(tmp_path, f"{n}.png", shade=60 * n) for n in range(1, 4)]
    page.get_by_label("Add pictures").set_input_files([*good, wrong])
    expect(page.locator("#picture-count")).to_have_text("3 / 10")
    row = page.locator(".uploads li").filter(has_text="notes.png")
    expect(row).to_contain_text("not a picture")
    picture(tmp_path, "notes.png")
    expect(row.get_by_role("button", name="Try again")).to_be_visible()

    def ids() -> list[str]:
        return page.locator(".picture").evaluate_all("all => all.map(one => one.dataset.id)")

    first, second, third = ids()
    page.get_by_role("button", name="Picture 1: one place later").click()
    expect(page.locator("#picture-state")).to_have_text("Moved to place 2")
    assert ids() == [second, first, third]
    page.locator(".picture").nth(2).drag_to(page.locator(".picture").nth(0))
    expect(page.locator("#picture-state")).to_have_text("Moved to place 1")
    assert ids() == [third, second, first]
    page.get_by_label("What it shows").first.fill("A quince on its branch")
    page.get_by_label("Title", exact=True).focus()
    expect(page.get_by_label("What it shows").first).to_have_class(re.compile("kept"))
    page.reload()
    assert ids() == [third, second, first]
    expect(page.get_by_label("What it shows").first).to_have_value("A quince on its branch")


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (390, True), (1280, False)])
def test_a_variant_table_is_made_filled_and_kept(
    market: Market, visit: Visits, seller: Person, width: int, scripts: bool
) -> None:
    page = visit(Way("desk", width, scripts=scripts), seller).page
    new_draft(page, market, "Rowan")
    page.get_by_text("It comes in several kinds").click()
    page.get_by_label("They differ in").fill("Height")
    page.get_by_label("Values").first.fill("1 m, 2 m, 3 m")
    page.get_by_role("button", name="Make the table").click()
    expect(page.get_by_label("Price of 3 m")).to_have_value("24.90")
    page.get_by_label("Stock", exact=True).fill("7")
    page.get_by_role("button", name="Set for all").click()
    expect(page.get_by_label("Stock of 2 m")).to_have_value("7")
    page.get_by_label("Price of 3 m").fill("49")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    expect(page.get_by_label("Price of 3 m")).to_have_value("49.00")
    expect(page.get_by_label("Stock of 1 m")).to_have_value("7")
    assert over_the_edge(page) <= 0


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (390, True), (1280, False)])
def test_a_file_of_one_s_own_is_mapped_previewed_imported_and_taken_back(
    market: Market, visit: Visits, tmp_path: Path, width: int, scripts: bool
) -> None:
    seller = open_stall(market.db_url)
    path = tmp_path / "baeume.csv"
    path.write_text(FILE)
    page = visit(Way("desk", width, scripts=scripts), seller).page
    page.goto(f"{market.url}/sell/import")
    page.get_by_label("Product file").set_input_files(path)
    page.get_by_role("button", name="Send the file").click()
    expect(page.get_by_role("heading", level=1, name="What are these columns?")).to_be_visible()
    expect(page.get_by_label("What “Preis” becomes")).to_have_value("price")
    page.get_by_label("What “Bestand” becomes").select_option(label="Leave it out")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("button", name="Import now")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("auf Anfrage” is not a price")).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name=re.compile("Refused")).click()
    expect(page.locator("tbody tr")).to_have_count(2)
    assert over_the_edge(page) <= 0
    page.get_by_role("button", name="Import now").click()
    expect(page.get_by_role("link", name="Take it back")).to_be_visible(timeout=60_000)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download the report").click()
    report = waiting.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(report) == 5 and sum(line.startswith("refused") for line in report) == 2
    page.get_by_role("link", name="Take it back").click()
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("Undone", exact=False).first).to_be_visible(timeout=60_000)
    page.goto(f"{market.url}/sell/import")
    page.get_by_label("Product file").set_input_files(path)
    page.get_by_role("button", name="Send the file").click()
    expect(page.get_by_text("as you chose before").first).to_be_visible()
    expect(page.get_by_label("What “Bestand” becomes")).to_have_value("")
