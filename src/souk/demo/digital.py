"""Digital goods made from the plant data: real files, small, each with its source."""

from __future__ import annotations

import csv
import io
import math
import struct
import wave
from collections.abc import Sequence
from xml.sax.saxutils import escape

from souk.contexts.listings.importing.drafts import FileRef, Kind, ProductDraft, VariantDraft
from souk.contexts.listings.importing.text import description_html
from souk.demo.glyphs import font_bdf
from souk.demo.model import AttributeValue, DigitalFile, ListingSpec, SpeciesSpec
from souk.demo.shops import euros

_SEASONS = ("spring", "summer", "fall", "winter")
_SOURCE = (
    "Source: plants of San Francisco, Open-Plant-Schema (BSD), and OpenFarm (MIT). "
    "Seasons are those of a mild coast; move them a month later where winters are cold."
)


def _name(spec: SpeciesSpec) -> str:
    return spec.common_names[0] if spec.common_names else spec.scientific_name


def bloom_calendar(species: Sequence[SpeciesSpec]) -> str:
    """Markdown: what flowers when, with water and light."""
    lines = ["# A year of flowers", "", _SOURCE]
    for season in _SEASONS:
        found = [spec for spec in species if season in spec.bloom]
        lines += ["", f"## {season.capitalize()} ({len(found)} plants)", "",
                  "| plant | scientific name | water | light |", "|---|---|---|---|"]  # fmt: skip
        lines += [
            f"| {_name(spec)} | {spec.scientific_name} | {spec.water or '?'} | "
            f"{', '.join(spec.light) or '?'} |"
            for spec in found
        ]
    return "\n".join(lines) + "\n"


def plant_table(species: Sequence[SpeciesSpec]) -> str:
    """CSV: one row per species with everything known."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(
        ["scientific_name", "common_names", "family", "type", "zone_min", "zone_max", "water",
         "light", "bloom", "flower_colours", "height_min_cm", "height_max_cm", "soil", "wildlife"]
    )  # fmt: skip
    for spec in species:
        writer.writerow(
            [spec.scientific_name, "; ".join(spec.common_names), spec.family, spec.plant_type,
             spec.zone_min, spec.zone_max, spec.water, "; ".join(spec.light),
             "; ".join(spec.bloom), "; ".join(spec.flower_colours), spec.height_min_cm or "",
             spec.height_max_cm or "", "; ".join(spec.soil), "; ".join(spec.wildlife)]
        )  # fmt: skip
    return out.getvalue()


def wildlife_guide(species: Sequence[SpeciesSpec], animal: str) -> str:
    """Markdown: the plants that one kind of animal visits, by season."""
    visited = [spec for spec in species if animal in spec.wildlife]
    lines = [f"# Plants for {animal}", "", f"{len(visited)} plants. {_SOURCE}", ""]
    for spec in visited:
        facts = [spec.plant_type.casefold(), f"flowers in {' and '.join(spec.bloom)}"]
        facts = [fact for fact in facts if not fact.endswith(" in ")]
        lines.append(f"- **{_name(spec)}** (*{spec.scientific_name}*): {', '.join(facts)}.")
        if spec.notes:
            lines.append(f"  {spec.notes}")
    return "\n".join(lines) + "\n"


def label_sheet(species: Sequence[SpeciesSpec]) -> str:
    """SVG, A4: twenty-four plant labels to print and cut."""
    cells: list[str] = []
    for place, spec in enumerate(species[:24]):
        x, y = 8 + place % 3 * 66, 8 + place // 3 * 35.5
        facts = " · ".join(
            part
            for part in (f"water: {spec.water}" if spec.water else "", ", ".join(spec.light))
            if part
        )
        cells.append(
            f'<rect x="{x}" y="{y}" width="62" height="32" rx="3" fill="none" stroke="#2f5d3a"/>'
            f'<text x="{x + 4}" y="{y + 11}" font-size="5">{escape(_name(spec)[:24])}</text>'
            f'<text x="{x + 4}" y="{y + 18}" font-size="3.6" font-style="italic">'
            f"{escape(spec.scientific_name[:32])}</text>"
            f'<text x="{x + 4}" y="{y + 26}" font-size="3.2">{escape(facts[:40])}</text>'
        )
    return _svg("".join(cells))


def leaf_pattern(colours: Sequence[str], *, turn: int) -> str:
    """SVG, A4: a repeating leaf, `turn` degrees from one to the next."""
    leaf = "M0,-9 C6,-5 6,5 0,9 C-6,5 -6,-5 0,-9 Z M0,-9 L0,9 M0,-3 L3,-5 M0,1 L-3,-1 M0,5 L3,3"
    shapes = [
        f'<path d="{leaf}" fill="{colours[(row + column) % len(colours)]}" stroke="#1d3b2a" '
        f'stroke-width="0.4" transform="translate({14 + column * 26},{18 + row * 26}) '
        f'rotate({(row * 3 + column) * turn % 360})"/>'
        for row in range(11)
        for column in range(8)
    ]
    return _svg("".join(shapes))


def _svg(body: str) -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" '
        f'viewBox="0 0 210 297" font-family="serif">{body}</svg>\n'
    )


def chime(notes: Sequence[int], *, rate: int = 16_000) -> bytes:
    """WAV, mono, 16 bit: notes in hertz, a third of a second each, dying away."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        length = rate // 3
        for note in notes:
            samples = (
                int(14_000 * math.exp(-5 * i / length) * math.sin(2 * math.pi * note * i / rate))
                for i in range(length)
            )
            sound.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return out.getvalue()


_FONT_LICENCE = """Souk Seed 5x7: licence

One licence key covers one person or one organisation of up to five people. You may use the font in
print, on screens and in products that you sell, and you may convert it to other formats for that
use. You may not pass the font file on. The glyphs are drawn on a grid of five by seven dots.
"""


def listings(species: Sequence[SpeciesSpec]) -> list[ListingSpec]:
    """Everything that Leaf & Letter sells."""
    known = [spec for spec in species if spec.water and spec.bloom]
    dry = [spec for spec in known if spec.water in {"none", "low"}]
    made = [
        _listing(
            "bloom-calendar", "A year of flowers: bloom calendar", 690, "calendars-and-guides",
            f"When {len(known)} plants flower, season by season, with their water and light. "
            "A Markdown file to read and a CSV table to sort.",
            [_text("bloom-calendar.md", "text/markdown", bloom_calendar(known)),
             _text("bloom-calendar.csv", "text/csv", plant_table(known))], ["Markdown", "CSV"],
        ),
        _listing(
            "dry-garden", "The dry garden: plants that need little water", 890,
            "calendars-and-guides",
            f"{len(dry)} plants that live on little or no water, with soil, height and visitors, "
            "as a table for your own planning.",
            [_text("dry-garden.csv", "text/csv", plant_table(dry)),
             _text("dry-garden-calendar.md", "text/markdown", bloom_calendar(dry))],
            ["CSV", "Markdown"],
        ),
    ]  # fmt: skip
    made += [_guide(known, animal) for animal in ("bees", "butterflies", "birds", "hummingbirds")]
    made += [_labels(known, kind) for kind in ("Perennial", "Annual", "Grass")]
    made += [
        _pattern("meadow", "Meadow", ["#7fae6b", "#a9c98f", "#d9e6c3"], 30, 450),
        _pattern("autumn", "Autumn", ["#c9772b", "#e0a458", "#7a3b1d"], 45, 450),
        _pattern("night-garden", "Night garden", ["#27364f", "#3c5a78", "#8fb0c9"], 15, 550),
        _font(),
        _listing(
            "garden-chimes", "Garden chimes: four short sounds", 300, "audio",
            "Four chimes for phones and doorbells, synthesised, uncompressed, without rights "
            "of others on them.",
            [DigitalFile(f"chime-{n}.wav", "audio/wav", chime(notes)) for n, notes in enumerate(
                ((523, 659, 784), (784, 659, 523), (440, 554, 659, 880), (330, 392, 494)), 1)],
            ["WAV"],
        ),
    ]  # fmt: skip
    return made


def _text(name: str, media_type: str, content: str) -> DigitalFile:
    return DigitalFile(name, media_type, content.encode())


def _guide(species: Sequence[SpeciesSpec], animal: str) -> ListingSpec:
    count = sum(1 for spec in species if animal in spec.wildlife)
    return _listing(
        f"plants-for-{animal}", f"Plants for {animal}", 490, "calendars-and-guides",
        f"{count} plants that {animal} visit, with the season in which they do. "
        "A plain file that opens everywhere.",
        [_text(f"plants-for-{animal}.md", "text/markdown", wildlife_guide(species, animal))],
        ["Markdown"],
    )  # fmt: skip


def _labels(species: Sequence[SpeciesSpec], kind: str) -> ListingSpec:
    chosen = [spec for spec in species if spec.plant_type == kind][:24]
    plural = {"Grass": "grasses"}.get(kind, f"{kind.casefold()}s")
    return _listing(
        f"labels-{plural}", f"Printable labels: {len(chosen)} {plural}", 350, "printables",
        f"One A4 sheet with labels for {len(chosen)} {plural}: name, scientific name, water and "
        "light. Print it on card and cut along the lines.",
        [_text(f"labels-{plural}.svg", "image/svg+xml", label_sheet(chosen))], ["SVG"], pages=1,
    )  # fmt: skip


def _pattern(key: str, name: str, colours: list[str], turn: int, cents: int) -> ListingSpec:
    return _listing(
        f"pattern-{key}", f"Leaf pattern “{name}”", cents, "printables",
        "A leaf pattern on an A4 page as vectors, for wrapping paper, book covers or fabric. "
        f"Colours: {', '.join(colours)}.",
        [_text(f"leaf-pattern-{key}.svg", "image/svg+xml", leaf_pattern(colours, turn=turn))],
        ["SVG"], pages=1,
    )  # fmt: skip


def _font() -> ListingSpec:
    return _listing(
        "souk-seed-font", "Souk Seed 5×7, a typeface for plant labels", 1200, "fonts",
        "A bitmap typeface of forty-one signs on a grid of five by seven dots, made for label "
        "printers and e-paper. BDF file with a licence key.",
        [_text("souk-seed-5x7.bdf", "font/bdf", font_bdf()),
         _text("licence.txt", "text/plain", _FONT_LICENCE)], ["BDF", "TXT"], licence_keys=True,
    )  # fmt: skip


def _listing(
    key: str,
    title: str,
    cents: int,
    category: str,
    text: str,
    files: list[DigitalFile],
    formats: list[str],
    *,
    pages: int = 0,
    licence_keys: bool = False,
) -> ListingSpec:
    attributes: dict[str, AttributeValue] = {"format": formats}
    if pages:
        attributes["pages"] = pages
    draft = ProductDraft(
        external_id=f"digital-{key}",
        title=title,
        description_html=description_html(text),
        kind=Kind.DIGITAL,
        category_path=["Downloads"],
        tags=["download", *(name.casefold() for name in formats)],
        variants=[VariantDraft(f"LL-{key.upper()}", {}, euros(f"{cents / 100:.2f}"))],
        files=[FileRef(file.name, file.name) for file in files],
        publish=True,
    )
    return ListingSpec(
        draft, category, "leaf-and-letter", attributes=attributes, files=files,
        licence_keys=licence_keys,
    )  # fmt: skip
