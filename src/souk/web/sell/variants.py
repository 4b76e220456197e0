"""The variant table of the editor: rows of the form, the table made of options, values for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from uuid import UUID

from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.flows.publish_listing import flow
from souk.kernel.ids import parse_uuid
from souk.platform.http.wire import clean_text
from souk.web.desk import decimal_text, read_int, read_money, read_uuid, refusal

OPTIONS = 3
FOR_ALL = ("price", "compare_at", "stock", "weight_g")
_VALUES = tuple(f"value_{n}" for n in range(1, OPTIONS + 1))
_ROW = ("id", "price", "compare_at", "sku", "weight_g", "stock", "was", "counted", *_VALUES)
Form = Mapping[str, str]
Row = dict[str, str]


def empty_row() -> Row:
    """The row in which a first price is written."""
    return dict.fromkeys((*_ROW, "path", "active", "remove"), "") | {"counted": "1"}


def rows_of_form(form: Form) -> list[Row]:
    """The variant rows as they were sent; `path` is the one that refusals name."""
    rows: list[Row] = []
    kept = 0
    for n in range(2 * listings.MAX_VARIANTS):
        if f"v{n}.price" not in form:
            break
        row = {name: form.get(f"v{n}.{name}", "") for name in (*_ROW, "active", "remove")}
        used = not row["remove"] and (row["id"] or row["price"] or row["value_1"])
        row["path"] = f"variants[{kept}]" if used else ""
        row["counted"] = "1" if not row["id"] or row["was"] else ""
        kept += bool(used)
        rows.append(row)
    return rows


def names_of(form: Form) -> list[str]:
    """What the variants differ in, such as size and colour."""
    names = [form.get(f"option_{n}", "") for n in range(1, OPTIONS + 1)]
    return [name for name in names if name]


def variants_of(form: Form, *, currency: str) -> list[flow.VariantStock]:
    """Raises InvalidInput naming the field of the row."""
    names = names_of(form)
    return [_variant(row, names, currency) for row in rows_of_form(form) if row["path"]]


def _variant(row: Row, names: Sequence[str], currency: str) -> flow.VariantStock:
    path = row["path"]
    if not row["price"]:
        raise refusal(f"{path}.price", "Give every variant a price.")
    compare = row["compare_at"]
    weight = row["weight_g"]
    stock = row["stock"]
    return flow.VariantStock(
        variant=listings.VariantInput(
            id=read_uuid(row["id"], path=f"{path}.id"),
            price=read_money(row["price"], currency=currency, path=f"{path}.price"),
            compare_at=read_money(compare, currency=currency, path=f"{path}.compare_at")
            if compare
            else None,
            sku=row["sku"],
            weight_g=read_int(weight, path=f"{path}.weight_g") if weight else None,
            active=row["active"] == "1" or not row["id"],
            options={name: row[f"value_{n}"] for n, name in enumerate(names, 1)},
        ),
        on_hand=read_int(stock, path=f"{path}.stock") if stock else 0,
    )


def stock_changes(form: Form) -> dict[UUID, int]:
    """By how much the seller changed the stock of variants that are there already.

    It is the difference to the number that the form showed: what was sold meanwhile stays sold.
    Raises InvalidInput.
    """
    found: dict[UUID, int] = {}
    for row in rows_of_form(form):
        variant_id = parse_uuid(row["id"]) if row["path"] and row["was"] else None
        if variant_id is not None and row["stock"] != row["was"]:
            path = f"{row['path']}.stock"
            wanted = read_int(row["stock"], path=path)
            found[variant_id] = wanted - read_int(row["was"], path=path)
    return found


def rows_of_listing(
    listing: listings.Listing, stock: Mapping[str, inventory.Availability]
) -> list[Row]:
    """A row per variant; an empty one when there is none yet."""
    rows: list[Row] = []
    for n, variant in enumerate(listing.variants):
        level = stock.get(str(variant.id))
        on_hand = str(level.on_hand) if level is not None and level.tracked else ""
        values = {f"value_{k}": text for k, text in enumerate(variant.options.values(), 1)}
        rows.append(
            empty_row()
            | {
                "id": str(variant.id),
                "price": decimal_text(variant.price, listing.currency),
                "compare_at": decimal_text(variant.compare_at, listing.currency),
                "sku": variant.sku,
                "weight_g": "" if variant.weight_g is None else str(variant.weight_g),
                "stock": on_hand,
                "was": on_hand,
                "counted": "1" if on_hand else "",
                "active": "1" if variant.active else "",
                "path": f"variants[{n}]",
                **values,
            }
        )
    return rows or [empty_row()]


def values_of_rows(rows: Sequence[Row]) -> dict[str, str]:
    """The values of each option with commas, for the fields that the table is made of."""
    found: dict[str, str] = {}
    for n in range(1, OPTIONS + 1):
        values = dict.fromkeys(row[f"value_{n}"] for row in rows if row[f"value_{n}"])
        found[f"values_{n}"] = ", ".join(values)
    return found


def table_of_options(form: Form) -> list[Row]:
    """A row per combination of the values, keeping rows that are there already.

    A first variant without options becomes the first combination. Stored rows whose combination is
    gone are marked for removal, so that the seller sees what would go. Raises InvalidInput.
    """
    chosen: list[list[str]] = []
    for n in range(1, OPTIONS + 1):
        name, text = form.get(f"option_{n}", ""), form.get(f"values_{n}", "")
        values = [clean_text(part, path=f"values_{n}") for part in text.split(",")]
        values = list(dict.fromkeys(value for value in values if value))
        if name and not values:
            raise refusal(f"values_{n}", f"Write the values of “{name}”, with commas between.")
        if values and not name:
            raise refusal(f"option_{n}", "Name what these values are, such as Size.")
        if name:
            chosen.append(values)
    if not chosen:
        raise refusal("option_1", "Name what the variants differ in, such as Size.")
    combinations = list(product(*chosen))
    if len(combinations) > listings.MAX_VARIANTS:
        message = f"That makes {len(combinations)} variants; {listings.MAX_VARIANTS} are allowed."
        raise refusal("values_1", message)
    return _rows_for(combinations, rows_of_form(form))


def _rows_for(combinations: Sequence[tuple[str, ...]], before: Sequence[Row]) -> list[Row]:
    known: dict[tuple[str, ...], Row] = {}
    for row in before:
        key = tuple(row[name] for name in _VALUES[: len(combinations[0])])
        known.setdefault(tuple(text.casefold() for text in key), row)
    plain = known.pop(("",) * len(combinations[0]), None)
    model = next((row for row in before if row["price"]), empty_row())
    rows: list[Row] = []
    for combination in combinations:
        key = tuple(text.casefold() for text in combination)
        row = known.pop(key, None)
        if row is None and plain is not None:
            row, plain = plain, None
        if row is None:
            same = {name: model[name] for name in ("price", "compare_at", "weight_g")}
            row = empty_row() | same | {"stock": "0"}
        rest = dict.fromkeys(_VALUES, "")
        rows.append(row | rest | dict(zip(_VALUES, combination, strict=False)) | {"remove": ""})
    rows += [row | {"remove": "1"} for row in known.values() if row["id"]]
    return _with_paths(rows)


def filled(form: Form) -> list[Row]:
    """The rows with the values that are meant for all of them."""
    given = {name: form.get(f"all.{name}", "") for name in FOR_ALL}
    wanted = {name: text for name, text in given.items() if text}
    if not wanted:
        raise refusal("all.price", "Write what all variants should have.")
    rows: list[Row] = []
    for row in rows_of_form(form):
        own = {k: v for k, v in wanted.items() if k != "stock" or row["counted"]}
        rows.append(row | own)
    return rows


def _with_paths(rows: list[Row]) -> list[Row]:
    kept = 0
    for row in rows:
        row["path"] = "" if row["remove"] else f"variants[{kept}]"
        kept += not row["remove"]
    return rows
