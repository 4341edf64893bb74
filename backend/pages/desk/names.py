"""Names of places and codes for people: what the tables keep as numbers and words of our own."""

from backend.pages.words import Language
from backend.services import regions
from backend.services.imports.sheets import sheet
from backend.services.occupations import shipped


def place(code: int, language: Language) -> str:
    """A region by its name; an unknown code is shown as it is."""
    found = regions.shipped().get(code)
    if found is None:
        return str(code)
    return found.name_en if language == "en" else found.name_zh


def jurisdiction(code: str, language: Language) -> str:
    """The place of a jurisdiction that is not the nation: ``CN-3710`` is 威海市."""
    return place(int(code.removeprefix("CN-").ljust(6, "0")), language)


def occupation(code: str, language: Language) -> str:
    """An occupation of the project by its name."""
    found = shipped().occupations.get(code)
    if found is None:
        return code
    return found.en if language == "en" else found.zh


def level(code: str, language: Language) -> str:
    """A level of the project by its name."""
    found = shipped().levels.get(code)
    if found is None:
        return code
    return found.en if language == "en" else found.zh


def directory(kind: str, language: Language) -> str:
    """A directory's sheet by its name. Raises: KindUnknown ("import.kind_unknown")."""
    found = sheet(kind)
    return found.en if language == "en" else found.zh


def column(kind: str, key: str, language: Language) -> str:
    """A column of a directory's sheet by its heading; an unknown key is shown as it is."""
    for found in sheet(kind).columns:
        if found.key == key:
            return found.en if language == "en" else found.zh
    return key


def provinces() -> tuple[int, ...]:
    """The provinces, in order of their codes."""
    return tuple(code for code, one in regions.shipped().items() if one.level == "province")


def below(codes: tuple[int, ...]) -> tuple[int, ...]:
    """The regions of a scope that stand today, in order of their codes."""
    known = regions.shipped()
    return tuple(code for code in sorted(codes) if code in known and not known[code].valid_until)
