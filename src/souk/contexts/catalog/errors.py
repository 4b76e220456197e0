"""Everything that the catalogue can refuse, beside wrong fields."""

from __future__ import annotations

from souk.kernel.errors import DomainError, ErrorKind, NotFound


def category_not_found() -> NotFound:
    return NotFound("There is no such category. Choose one from the list of categories.")


def attribute_not_found() -> NotFound:
    return NotFound("There is no such attribute. Create it first.")


def species_not_found() -> NotFound:
    return NotFound("We do not know this species. Look for it by another of its names.")


class SlugTaken(DomainError):
    """Another category has this address."""

    code = "slug_taken"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("Another category has this address (slug). Choose a different one.")


class CodeTaken(DomainError):
    """Another attribute has this code."""

    code = "code_taken"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("Another attribute has this code. Choose a different one.")


class SpeciesExists(DomainError):
    """The species is in the catalogue already."""

    code = "species_exists"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("This species is in the catalogue already. Change that entry instead.")


class IntoItself(DomainError):
    """A category cannot be put below itself."""

    code = "category_loop"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("A category cannot be moved below itself. Choose another place for it.")


class TooDeep(DomainError):
    """The tree would have too many levels."""

    code = "category_too_deep"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, most: int) -> None:
        super().__init__(f"The tree has at most {most} levels. Choose a higher place.", most=most)
