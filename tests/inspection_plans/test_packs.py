"""The five notices as shipped: every clause, what applies where, and a sixth notice as data."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import loader
from inspection_plans.jurisdictions import MalformedRegion, jurisdiction_of, lineage, region_of
from inspection_plans.library import SheetNotInForce, UnknownClause, UnknownSheet
from inspection_plans.sheets import Choice, MultiChoice, Ratio, canonical
from inspection_plans.vocabulary import CheckMode

PINNED = (Path(__file__).parent / "clause_ids.txt").read_text(encoding="utf-8").split()
PLACES = ["national", "CN-37", "CN-3710", "CN-14", "CN-23", "CN-3701", "CN-1401"]
SHEETS = ["TI", "EI", "CV", "EX", "DC", "RC"]
SUMMER = date(2024, 7, 1)


def test_the_390_clause_ids_are_those_pinned() -> None:
    assert sorted(loader.load().clauses) == PINNED
    assert len(set(PINNED)) == 390


def test_numbers_of_the_law_are_as_the_notices_say() -> None:
    library = loader.load()

    def number(clause: str, parameter: str) -> object:
        return library.clause(clause).parameters[parameter]

    assert number("heilongjiang-2023-13/3.1.3/trainee-list-15d", "amount") == 15
    assert number("shandong-2022-156/4.2/trainee-list-30d", "amount") == 30
    assert number("heilongjiang-2023-13/3.1.3/offline-60", "ratio_min") == "0.6"
    assert number("national-2021-71/3.6/pass-score", "theory_min") == 60
    assert number("national-2021-71/4.6/validity-3y", "years") == 3


def test_validity_starts_on_the_day_of_issue_or_of_printing() -> None:
    starts = {pack.id: pack.valid_from for pack in loader.load().packs.values()}
    assert starts == {
        "national-2021-71": date(2021, 10, 8),
        "shandong-2022-156": date(2022, 12, 8),
        "weihai-2023-25": date(2023, 5, 24),
        "shanxi-2024-27": date(2024, 5, 23),
        "heilongjiang-2023-13": date(2023, 6, 16),
    }


def test_every_clause_for_the_field_stands_on_a_sheet() -> None:
    library = loader.load()
    cited = {c for sheet in library.sheets.values() for i in sheet.items for c in i.clauses}
    field = {c.id for c in library.clauses.values() if c.check_mode is CheckMode.FIELD_CHECK}
    assert field - cited == set()


@pytest.mark.parametrize(
    ("place", "packs"),
    [
        ("national", ["national-2021-71"]),
        ("CN-37", ["national-2021-71", "shandong-2022-156"]),
        ("CN-3710", ["national-2021-71", "shandong-2022-156", "weihai-2023-25"]),
        ("CN-3701", ["national-2021-71", "shandong-2022-156"]),
        ("CN-14", ["national-2021-71", "shanxi-2024-27"]),
        ("CN-23", ["national-2021-71", "heilongjiang-2023-13"]),
        ("CN-11", ["national-2021-71"]),
    ],
)
def test_what_applies_is_the_place_and_all_that_cover_it(place: str, packs: list[str]) -> None:
    library = loader.load()
    found = library.effective_set(place, SUMMER)
    assert list(dict.fromkeys(clause.pack for clause in found)) == packs
    assert len(found) == sum(pin.split("/")[0] in packs for pin in PINNED)


def test_a_notice_applies_from_its_first_day() -> None:
    library = loader.load()
    before = library.effective_set("CN-14", date(2024, 5, 22))
    after = library.effective_set("CN-14", date(2024, 5, 23))
    assert {c.pack for c in before} == {"national-2021-71"}
    assert {c.pack for c in after} == {"national-2021-71", "shanxi-2024-27"}
    assert library.effective_set("CN-14", date(2021, 10, 7)) == ()


@given(st.sampled_from(PLACES), st.dates(date(2021, 1, 1), date(2030, 1, 1)))
def test_what_binds_a_subject_is_a_part_of_what_applies(place: str, on: date) -> None:
    library = loader.load()
    every = library.effective_set(place, on)
    bound = library.effective_set(place, on, "training_institution")
    assert list(bound) == [c for c in every if "training_institution" in c.subject]
    covering = library.effective_set(lineage(place)[-1], on)
    assert {c.id for c in covering} <= {c.id for c in every}


def test_the_sheet_of_a_city_holds_the_items_of_its_province() -> None:
    library = loader.load()

    def codes(place: str) -> set[str]:
        return {item.code for item in library.sheet("TI", place, SUMMER).items}

    assert codes("national") < codes("CN-37") < codes("CN-3710")
    assert codes("CN-3710") - codes("CN-37") == {"TI-15", "TI-33"}
    assert {"TI-23", "TI-24"} <= codes("CN-23")
    assert "TI-07" in codes("CN-14")
    assert "TI-07" not in codes("CN-37")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("code", SHEETS)
def test_every_item_and_every_failing_option_has_a_clause_in_force(place: str, code: str) -> None:
    library = loader.load()
    in_force = {clause.id: clause for clause in library.effective_set(place, SUMMER)}
    for item in library.sheet(code, place, SUMMER).items:
        assert item.clauses
        assert set(item.clauses) <= set(in_force)
        concepts = {in_force[clause].concept for clause in item.clauses}
        for part in item.answer:
            for option in part.options if isinstance(part, Choice | MultiChoice) else ():
                assert not option.concepts or concepts & set(option.concepts), option.code


def test_a_part_is_asked_only_where_its_paper_stands() -> None:
    library = loader.load()

    def parts(place: str) -> list[str]:
        item = library.sheet("TI", place, SUMMER).item("TI-27")
        assert item is not None
        return [part.name for part in item.answer]

    assert parts("CN-23") == ["sample", "written_standard"]
    assert parts("CN-37") == ["sample"]


def test_an_option_is_offered_only_where_the_ban_stands() -> None:
    library = loader.load()

    def offered(place: str) -> set[str]:
        item = library.sheet("CV", place, SUMMER).item("CV-09")
        assert item is not None
        part = item.answer[0]
        assert isinstance(part, MultiChoice)
        return {option.code for option in part.options}

    assert offered("CN-14") - offered("CN-37") == {"high_pass_rate"}


def test_the_share_of_a_sheet_comes_from_the_clause() -> None:
    item = loader.load().sheet("TI", "CN-23", SUMMER).item("TI-23")
    assert item is not None
    part = item.answer[0]
    assert isinstance(part, Ratio)
    assert part.min == "0.6"


def test_the_version_of_a_sheet_is_its_content() -> None:
    library = loader.load()
    sheet, version = loader.applied_sheet("TI", "CN-37", SUMMER)
    assert version == library.sheet("TI", "CN-3701", date(2026, 1, 1)).version
    assert len(version) == 64
    others = {library.sheet(code, place, SUMMER).version for code in SHEETS for place in PLACES}
    contents = {canonical(library.sheet(c, p, SUMMER)) for c in SHEETS for p in PLACES}
    assert len(others) == len(contents)
    assert sheet.item("TI-99") is None


def test_what_is_not_there_is_refused() -> None:
    library = loader.load()
    with pytest.raises(UnknownSheet):
        library.sheet("XX", "CN-37", SUMMER)
    with pytest.raises(UnknownClause):
        library.clause("national-2021-71/6.3/nothing")
    with pytest.raises(SheetNotInForce):
        library.sheet("TI", "CN-37", date(2021, 10, 7))


@pytest.mark.parametrize(
    ("region", "place"),
    [
        (100000, "national"),
        (110000, "national"),
        (140000, "CN-14"),
        (140100, "CN-14"),
        (230000, "CN-23"),
        (230109, "CN-23"),
        (370000, "CN-37"),
        (370102, "CN-37"),
        (371000, "CN-3710"),
        (371002, "CN-3710"),
    ],
)
def test_a_region_maps_to_the_nearest_jurisdiction_with_a_paper(region: int, place: str) -> None:
    assert loader.jurisdiction_of(region) == place


@given(st.integers(100000, 999999))
def test_region_codes_and_jurisdictions_map_back(region: int) -> None:
    every = {f"CN-{str(region)[:size]}" for size in (2, 4, 6)}
    place = jurisdiction_of(region, every)
    expected = 100000 if place == "national" else region
    assert region_of(place) == expected
    assert jurisdiction_of(region, ()) == "national"
    assert region_of("national") == 100000


@pytest.mark.parametrize("region", [-1, 0, 37, 99999, 1000000])
def test_a_region_code_has_six_digits(region: int) -> None:
    with pytest.raises(MalformedRegion):
        loader.jurisdiction_of(region)
