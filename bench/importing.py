"""A product file for the importer."""

from __future__ import annotations

import csv
import random
import time
from pathlib import Path


def write_products(file: Path, *, count: int) -> None:
    """`count` products of one row each, new to every run, with descriptions in HTML."""
    chance = random.Random(3)
    words = ["oak", "linen", "brass", "fern", "copper", "wool", "clay", "rose"]
    stamp = time.time_ns()
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["external_id", "title", "description", "kind", "category", "sku", "price",
             "currency", "stock", "weight"]
        )  # fmt: skip
        for number in range(count):
            title = f"{' '.join(chance.choices(words, k=3))} {number}"
            text = f"<p>{' '.join(chance.choices(words, k=60))}</p>"
            writer.writerow(
                [f"x-{stamp}-{number}", title, text, "goods", "Group 1 1", f"I-{stamp}-{number}",
                 f"{chance.randrange(100, 9_000) / 100:.2f}", "EUR", 5, 250]
            )  # fmt: skip
