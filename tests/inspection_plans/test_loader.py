"""Every refusal of the loader, each provoked by one change in a copy of our own packs."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from inspection_plans import loader
from inspection_plans.reading import PackRefusal

LOAN = "shandong-2022-156/6.2/loan"
SHANDONG = "shandong-2022-156/clauses.yaml"
NATIONAL = "national-2021-71/notice.yaml"
NOTICE = "shandong-2022-156/notice.yaml"


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    copy = tmp_path / "packs"
    shutil.copytree(loader.HOME / "packs", copy)
    return copy


def line_of(path: Path, text: str, after: str = "") -> int:
    content = path.read_text(encoding="utf-8")
    place = content.index(text, content.index(after))
    return content.count("\n", 0, place) + 1


def change(path: Path, old: str, new: str, after: str = "") -> None:
    content = path.read_text(encoding="utf-8")
    start = content.index(after)
    assert old in content[start:]
    path.write_text(content[:start] + content[start:].replace(old, new, 1), encoding="utf-8")


# name: file, text to change, new text, text that stands before it, code, clause or item named
CHANGES = {
    "unknown key of a clause": (
        SHANDONG, "  severity: critical", "  severty: critical", LOAN, "packs.unknown_key", LOAN,
    ),
    "unknown severity": (
        SHANDONG, "severity: critical", "severity: fatal", LOAN, "packs.unknown_value", LOAN,
    ),
    "unknown kind": (
        SHANDONG, "kind: prohibition", "kind: ban", LOAN, "packs.unknown_value", LOAN,
    ),
    "unknown check mode": (
        SHANDONG, "check_mode: field_check", "check_mode: look", LOAN, "packs.unknown_value", LOAN,
    ),
    "unknown concept": (
        SHANDONG, "concept: training_loan", "concept: traning_loan", LOAN, "packs.unknown_term",
        LOAN,
    ),
    "unknown subject": (
        SHANDONG, "subject: [training_institution", "subject: [trainer", LOAN,
        "packs.unknown_term", LOAN,
    ),
    "misspelt parameter": (
        SHANDONG, "amount: 30", "amuont: 30", "id: shandong-2022-156/4.2/trainee-list-30d\n",
        "packs.unknown_term", "shandong-2022-156/4.2/trainee-list-30d",
    ),
    "a float": (
        "heilongjiang-2023-13/clauses.yaml", "ratio_min: '0.6'", "ratio_min: 0.6", "offline-60\n",
        "packs.malformed", "heilongjiang-2023-13/3.1.3/offline-60",
    ),
    "a rule in one language": (
        SHANDONG, "    en: ", "    zh2: ", LOAN, "packs.unknown_key", LOAN,
    ),
    "an empty rule": (SHANDONG, "    zh: ", "    zh: '' # ", LOAN, "packs.malformed", LOAN),
    "a key said twice": (
        SHANDONG, "  severity: critical", "  severity: minor\n  severity: critical", LOAN,
        "packs.duplicate_key", None,
    ),
    "an id said twice": (
        SHANDONG, "id: shandong-2022-156/6.4/publicity", f"id: {LOAN}", "", "packs.duplicate_id",
        LOAN,
    ),
    "an id of another pack": (
        SHANDONG, "id: shandong-2022-156/1/fields", "id: shanxi-2024-27/9/fields", "",
        "packs.foreign_id", "shanxi-2024-27/9/fields",
    ),
    "a related clause that is not there": (
        SHANDONG, "national-2021-71/6.3/loan", "national-2021-71/6.3/lone", LOAN,
        "packs.dangling_clause", LOAN,
    ),
    "a consequence that is not there": (
        "heilongjiang-2023-13/clauses.yaml", "consequence: heilongjiang-2023-13/5.3/consequence",
        "consequence: heilongjiang-2023-13/5.3/sequel", "5.3/loan\n", "packs.dangling_clause",
        "heilongjiang-2023-13/5.3/loan",
    ),
    "not yaml": (SHANDONG, "  kind: ", "  kind: [", LOAN, "packs.unreadable", None),
    "unknown key of a notice": (
        NOTICE, "issued:", "signed:", "", "packs.unknown_key", "shandong-2022-156",
    ),
    "a day that is none": (
        NOTICE, "valid_from: 2022-12-08", "valid_from: 2022-12", "", "packs.malformed",
        "shandong-2022-156",
    ),
    "a jurisdiction that is none": (
        NOTICE, "jurisdiction: CN-37", "jurisdiction: SD", "", "packs.malformed",
        "shandong-2022-156",
    ),
    "ends before it starts": (
        NOTICE, "valid_until: null", "valid_until: 2022-12-07", "", "packs.overlapping_validity",
        "shandong-2022-156",
    ),
    "a folder of another name": (
        NOTICE, "id: shandong-2022-156", "id: shandong-2022-157", "", "packs.foreign_id",
        "shandong-2022-157",
    ),
    "a parent that is not there": (
        NOTICE, "[national-2021-71]", "[national-2021-72]", "", "packs.unknown_parent",
        "shandong-2022-156",
    ),
    "a parent that does not cover it": (
        NOTICE, "[national-2021-71]", "[shanxi-2024-27]", "", "packs.unknown_parent",
        "shandong-2022-156",
    ),
    "a pack that is its own parent": (
        NATIONAL, "parents: []", "parents: [national-2021-71]", "", "packs.cyclic_parents",
        "national-2021-71",
    ),
    "a clause on a sheet that is not there": (
        "sheets/TI.yaml", "- national-2021-71/6.3/loan", "- national-2021-71/6.3/lone", "",
        "packs.dangling_clause", "TI-08",
    ),
    "an item code said twice": (
        "sheets/TI.yaml", "code: TI-09", "code: TI-08", "", "packs.duplicate_id", "TI-08",
    ),
    "an item of another sheet": (
        "sheets/TI.yaml", "code: TI-09", "code: EI-99", "", "packs.foreign_id", "EI-99",
    ),
    "a sheet said twice": ("sheets/EX.yaml", "id: EX", "id: EI", "", "packs.duplicate_id", "EI"),
    "an unknown kind of evidence": (
        "sheets/TI.yaml", "kind: photo", "kind: foto", "code: TI-05", "packs.unknown_term",
        "TI-05",
    ),
    "an unknown type of answer": (
        "sheets/TI.yaml", "type: yes_no_na", "type: yes_no", "code: TI-07", "packs.malformed",
        "TI-07",
    ),
    "an unknown mark": (
        "sheets/TI.yaml", "mark: fail", "mark: bad", "code: TI-08", "packs.unknown_value",
        "TI-08",
    ),
    "a concept the item has no clause for": (
        "sheets/TI.yaml", "[cross_province]", "[training_loan]", "code: TI-04",
        "packs.unknown_term", "TI-04",
    ),
    "a comparison of fields that are not there": (
        "sheets/CV.yaml", "[signed, present]", "[signd, present]", "", "packs.broken_answer",
        "CV-03",
    ),
    "a field said twice": (
        "sheets/CV.yaml", "{name: signed", "{name: present", "", "packs.duplicate_id", "CV-03",
    ),
    "a part said twice": (
        "sheets/TI.yaml", "name: sample", "name: result", "code: TI-10", "packs.duplicate_id",
        "TI-10",
    ),
    "a wrong word in the terms": (
        "terms.yaml", "  advertisement_text: {", "  Advertisement: {", "", "packs.malformed", None,
    ),
    "a scale without room": (
        "sheets/CV.yaml", "highest: 5", "highest: 1", "code: CV-14", "packs.broken_answer",
        "CV-14",
    ),
    "a share said in two ways": (
        "sheets/TI.yaml", "    min_from:", "    min: '0.5'\n    min_from:", "code: TI-23",
        "packs.broken_answer", "TI-23",
    ),
    "half a label": (
        "sheets/TI.yaml", "    en: receipts compared\n", "", "code: TI-10", "packs.broken_answer",
        "TI-10",
    ),
    "a share of a clause that is not there": (
        "sheets/TI.yaml", "clause: heilongjiang-2023-13/3.1.3/offline-60",
        "clause: heilongjiang-2023-13/3.1.3/offline-61", "", "packs.broken_answer", "TI-23",
    ),
    "an item without a clause": (
        "sheets/TI.yaml", "  clauses:\n  - shanxi-2024-27/6.2/high-pass-rate\n", "  clauses: []\n",
        "", "packs.malformed", "TI-07",
    ),
    "a gate on a clause that is not there": (
        "gates.yaml", "national-2021-71/6.3/exit-catalogue", "national-2021-71/6.3/exit", "",
        "packs.dangling_clause", "G4",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_bad_pack_is_refused_with_file_line_and_clause(packs: Path, name: str) -> None:
    file, old, new, after, code, clause = CHANGES[name]
    path = packs / file
    line = line_of(path, old, after)
    change(path, old, new, after)

    found_wrong = loader.problems(packs)

    facts = next(problem.facts for problem in found_wrong if problem.code == code)
    assert facts["file"] == file
    assert facts["clause"] == clause
    found = facts["line"]
    assert isinstance(found, int)
    # A contradiction inside an answer is told at the start of its part.
    assert abs(found - line) <= (8 if code == "packs.broken_answer" else 3), (found, line)


def test_an_empty_file_is_refused(packs: Path) -> None:
    (packs / SHANDONG).write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(PackRefusal) as refused:
        loader.read(packs)
    assert (refused.value.code, refused.value.facts["line"]) == ("packs.malformed", 1)


def twice(packs: Path, start: str, end: str) -> None:
    """Add a second version of Shandong's notice with its own validity."""
    folder = packs / "shandong-2023-156"
    folder.mkdir()
    text = (packs / NOTICE).read_text(encoding="utf-8")
    text = text.replace("id: shandong-2022-156", "id: shandong-2023-156")
    text = text.replace("valid_from: 2022-12-08", f"valid_from: {start}")
    text = text.replace("valid_until: 2023-12-31", f"valid_until: {end}")
    (folder / "notice.yaml").write_text(text, encoding="utf-8")


def test_two_versions_of_one_notice_may_not_be_in_force_on_one_day(packs: Path) -> None:
    change(packs / NOTICE, "valid_until: null", "valid_until: 2023-12-31")
    twice(packs, "2023-12-31", "null")
    with pytest.raises(PackRefusal) as refused:
        loader.read(packs)
    assert refused.value.code == "packs.overlapping_validity"
    assert refused.value.facts["other"] == "shandong-2022-156"


def test_a_new_version_may_start_the_day_after(packs: Path) -> None:
    change(packs / NOTICE, "valid_until: null", "valid_until: 2023-12-31")
    twice(packs, "2024-01-01", "null")
    assert len(loader.read(packs).packs) == 6


def test_a_circle_of_parents_is_refused(packs: Path) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        folder = packs / f"circle{one}-2024-1"
        folder.mkdir()
        text = (packs / NOTICE).read_text(encoding="utf-8")
        text = text.replace("id: shandong-2022-156", f"id: circle{one}-2024-1")
        text = text.replace("鲁人社字〔2022〕156号", f"虚人社字{one}")
        text = text.replace("[national-2021-71]", f"[circle{other}-2024-1]")
        (folder / "notice.yaml").write_text(text, encoding="utf-8")
    codes = [problem.code for problem in loader.problems(packs)]
    assert codes == ["packs.cyclic_parents", "packs.cyclic_parents"]


def test_the_first_thing_wrong_keeps_the_packs_from_loading(packs: Path) -> None:
    change(packs / SHANDONG, "concept: training_loan", "concept: lending", LOAN)
    with pytest.raises(PackRefusal) as refused:
        loader.read(packs)
    (told,) = loader.problems(packs)
    assert (refused.value.code, refused.value.facts) == (told.code, told.facts)


def test_all_that_is_wrong_is_told_at_once(packs: Path) -> None:
    change(packs / SHANDONG, "concept: training_loan", "concept: lending", LOAN)
    change(packs / "sheets/TI.yaml", "kind: photo", "kind: foto")
    assert [problem.facts["file"] for problem in loader.problems(packs)] == [
        SHANDONG,
        "sheets/TI.yaml",
    ]


def test_our_own_packs_have_no_problem() -> None:
    assert loader.problems() == ()


SETTINGS: dict[str, tuple[Callable[[str], str], str]] = {
    "said twice": (lambda text: text + text, "packs.duplicate_id"),
    "outside its own bounds": (
        lambda text: text.replace("  value: 2\n", "  value: 1\n"),
        "packs.unknown_value",
    ),
    "no basis": (lambda text: text.replace("kind: law", "kind: habit"), "packs.unknown_value"),
    "unknown clause": (
        lambda text: text + "    clauses: [national-2021-71/9/nothing]\n",
        "packs.dangling_clause",
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_bad_setting_is_refused(tmp_path: Path, name: str) -> None:
    text = (
        "- name: team_size\n  zh: 人数\n  en: persons\n  value: 2\n  unit: person\n"
        "  jurisdiction: national\n  bounds: {min: 2, max: 6}\n"
        "  basis:\n    kind: law\n    zh: 法\n    en: law\n"
    )
    (tmp_path / "visit.yaml").write_text(text, encoding="utf-8")
    assert len(loader.read_settings(tmp_path, loader.load())) == 1
    bad, code = SETTINGS[name]
    (tmp_path / "visit.yaml").write_text(bad(text), encoding="utf-8")
    with pytest.raises(PackRefusal) as refused:
        loader.read_settings(tmp_path, loader.load())
    assert refused.value.code == code


def slip(text: str, rng: random.Random) -> str:
    """One slip of the pen: a line lost, doubled, moved, cut, or with another value."""
    lines = text.split("\n")
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[at])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines[at] = lines[at][: len(lines[at]) // 2]
        case _:
            values = ["5", "null", "[1, 2]", "{a: 1}", "2024-02-30", "true", "1.5"]
            lines[at] = f"{lines[at].split(':')[0]}: {rng.choice(values)}"
    return "\n".join(lines)


@pytest.mark.slow
def test_any_slip_is_told_with_its_file_and_line_or_changes_nothing(tmp_path: Path) -> None:
    for name in ("packs", "policy", "workdays"):
        shutil.copytree(loader.HOME / name, tmp_path / name)
    files = sorted(tmp_path.rglob("*.yaml"))
    rng = random.Random(3)
    told = 0
    for _ in range(60):
        path = rng.choice(files)
        text = path.read_text(encoding="utf-8")
        path.write_text(slip(text, rng), encoding="utf-8")
        problems = loader.rulebook_problems(tmp_path)
        assert all({"file", "line", "clause"} <= set(problem.facts) for problem in problems)
        told += bool(problems)
        path.write_text(text, encoding="utf-8")
    assert told > 30
