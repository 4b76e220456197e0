"""What every form needs: length checks with a sentence per field, and the summary above it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from souk.kernel.errors import FieldProblem, InvalidInput


def check(form: Mapping[str, str], limits: Mapping[str, tuple[int, int]]) -> None:
    """Raises InvalidInput unless every field has from so many to so many characters."""
    found: list[FieldProblem] = []
    for name, (least, most) in limits.items():
        value = form.get(name, "")
        if least and not value:
            found.append(FieldProblem(name, "required", "Fill this in."))
        elif len(value) < least:
            found.append(FieldProblem(name, "too_short", f"Write at least {least} characters."))
        elif len(value) > most:
            found.append(FieldProblem(name, "too_long", f"Shorten this to {most} characters."))
        elif "\x00" in value:
            found.append(FieldProblem(name, "bad_character", "Remove the invisible character."))
    if found:
        raise InvalidInput("Some fields need your attention.", problems=found)


def summary(errors: Mapping[str, str]) -> list[dict[str, str | None]]:
    """For `form_errors`: the marked fields, or the one sentence when no field is marked."""
    fields: list[dict[str, str | None]] = [
        {"field": name, "text": text} for name, text in errors.items() if name
    ]
    return fields or [{"field": None, "text": text} for text in errors.values()]


@contextmanager
def gathered_in(problems: list[FieldProblem]) -> Generator[None]:
    """Keeps what is wrong, so that somebody learns of everything at once."""
    try:
        yield
    except InvalidInput as error:
        problems.extend(error.problems)
