"""What checks each clause, and the command that says so."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from backend.__main__ import main
from inspection_plans import loader
from inspection_plans.ask.table import HANDLERS
from inspection_plans.coverage import coverage, unchecked
from inspection_plans.vocabulary import CheckMode, ClauseId

LIBRARY = loader.load()
DESK = {rule.id: rule.clauses for rule in loader.load_rulebook().desk.values()}
CHECKS = coverage(LIBRARY, DESK)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    for name in ("packs", "policy", "workdays"):
        shutil.copytree(loader.HOME / name, tmp_path / name)
    return tmp_path


def change(path: Path, old: str, new: str) -> int:
    """Change a text once; the line it stands on."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_every_clause_that_can_be_checked_is_checked() -> None:
    assert [clause.id for clause in unchecked(LIBRARY, CHECKS)] == []


def test_a_clause_without_a_check_is_one_the_register_only_shows() -> None:
    bare = {clause for clause, checks in CHECKS.items() if not checks}
    assert {LIBRARY.clauses[clause].check_mode for clause in bare} <= {CheckMode.INFORMATIONAL}
    assert list(CHECKS) == list(LIBRARY.clauses)


def test_checks_are_told_by_name() -> None:
    def checks(clause: str) -> tuple[str, ...]:
        return CHECKS[ClauseId(clause)]

    assert "item TI-08" in checks("national-2021-71/6.3/loan")
    assert "item TI-23" in checks("heilongjiang-2023-13/3.1.3/offline-60")
    assert "answer offline_share" in checks("heilongjiang-2023-13/3.1.3/offline-60")
    assert "deadline trainee_list_report" in checks("shandong-2022-156/4.2/trainee-list-30d")
    assert "deadline quarterly_form" in checks("weihai-2023-25/6.2/quarterly-form")
    assert "deadline quarterly_form" not in checks("weihai-2023-25/annex/form-columns")
    assert "answer subsidy_batch" in checks("shanxi-2024-27/5.4/cap-5000")
    assert "answer subsidy_batch" not in checks("heilongjiang-2023-13/4.3/subsidy-junior")


def test_what_is_computed_is_a_question_that_can_be_asked() -> None:
    assert {row.question for row in LIBRARY.computed} <= set(HANDLERS)


def test_every_desk_rule_cites_clauses_that_are_there() -> None:
    cited = {clause for clauses in DESK.values() for clause in clauses}
    assert cited <= set(LIBRARY.clauses)


def test_the_command_shows_each_clause(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["packs", "coverage"]) == 0
    *rows, last = capsys.readouterr().out.splitlines()
    assert [row.split("\t")[0] for row in rows] == list(LIBRARY.clauses)
    assert not any("UNCHECKED" in row for row in rows)
    assert last.startswith("390 clauses, ")


def test_a_clause_that_nothing_checks_fails_the_command(
    rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(
        rules / "packs" / "shanxi-2024-27" / "clauses.yaml",
        "- id: shanxi-2024-27/6.2/high-pass-rate\n",
        "- id: shanxi-2024-27/6.2/new-duty\n  section: 六(二)\n  subject: [trainee]\n"
        "  kind: duty\n  concept: experience\n  rule: {zh: 新。, en: New.}\n"
        "  check_mode: field_check\n  severity: minor\n"
        "- id: shanxi-2024-27/6.2/high-pass-rate\n",
    )
    assert main(["packs", "coverage", "--root", str(rules)]) == 1
    assert "shanxi-2024-27/6.2/new-duty\tfield_check\tUNCHECKED" in capsys.readouterr().out


def test_check_says_that_all_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["packs", "check"]) == 0
    assert capsys.readouterr().out == "390 clauses, all files hold\n"


def test_check_explains_several_errors_at_once(
    rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shandong = rules / "packs" / "shandong-2022-156" / "clauses.yaml"
    one = change(shandong, "  kind: prohibition\n", "  kind: ban\n")
    other = change(rules / "packs" / "sheets" / "TI.yaml", "  severity: ", "  severty: ")
    assert main(["packs", "check", "--root", str(rules)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"shandong-2022-156/clauses.yaml:{one}: shandong-2022-156/")
    assert "[packs.unknown_value]" in lines[0]
    assert lines[1].startswith(f"sheets/TI.yaml:{other}: TI-")
    assert "[packs.unknown_key]" in lines[1]
    assert "[packs.malformed]" in lines[2]  # the severity that is not said now
    assert len(lines) == 3


BROKEN = {
    "a holiday of another year": (
        "workdays/cn-2024.yaml", "[2024-01-01,", "[2023-01-02,", "packs.broken_year",
    ),
    "a table under another year": (
        "workdays/cn-2024.yaml", "year: 2024", "year: 2023", "packs.foreign_id",
    ),
    "a setting outside its bounds": (
        "policy/terms.yaml", "value: rolling", "value: forever", "packs.unknown_value",
    ),
    "a term in weeks": (
        "packs/shandong-2022-156/clauses.yaml", "unit: day", "unit: week", "packs.malformed",
    ),
    "a term of no days": (
        "packs/shandong-2022-156/clauses.yaml", "amount: 30", "amount: 0", "packs.malformed",
    ),
    "a term of half a month": (
        "packs/shandong-2022-156/clauses.yaml", "amount: 30", "amount: '15'", "packs.malformed",
    ),
    "a concept counted twice": (
        "packs/deadlines.yaml", "concept: certificate_issue", "concept: trainee_list_report",
        "packs.duplicate_id",
    ),
    "an unknown concept counted": (
        "packs/deadlines.yaml", "concept: certificate_issue", "concept: certificate_isue",
        "packs.unknown_term",
    ),
    "an unknown number counted": (
        "packs/deadlines.yaml", "amount: years\n", "amount: yaers\n", "packs.unknown_term",
    ),
    "a way to count that is none": (
        "packs/deadlines.yaml", "ends: duty\n", "ends: duties\n", "packs.unknown_value",
    ),
    "an answer that stands twice": (
        "packs/computed.yaml", "question: offline_share", "question: pass", "packs.duplicate_id",
    ),
    "an answer from an unknown concept": (
        "packs/computed.yaml", "[offline_ratio]", "[online_ratio]", "packs.unknown_term",
    ),
    "an alias of two papers": (
        "packs/shanxi-2024-27/notice.yaml", "aliases: []",
        "aliases: [鲁人社字（2022）156号]", "packs.ambiguous_alias",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_told_with_file_and_line(
    rules: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file, old, new, code = BROKEN[name]
    line = change(rules / file, old, new)
    assert main(["packs", "check", "--root", str(rules)]) == 1
    told = [row for row in capsys.readouterr().out.splitlines() if f"[{code}]" in row]
    place = f"{file.removeprefix('packs/').removeprefix('policy/').removeprefix('workdays/')}:"
    assert told[0].startswith(place)
    found = int(told[0].split(":")[1])
    # A holiday table is told at its year.
    assert abs(found - line) <= (4 if "holiday" in name else 0)


@pytest.mark.parametrize("name", ["terms.yaml", "deadlines.yaml", "computed.yaml", "gates.yaml"])
def test_a_missing_file_is_told(
    rules: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (rules / "packs" / name).unlink()
    assert main(["packs", "check", "--root", str(rules)]) == 1
    assert f"{name}:1: " in capsys.readouterr().out


def test_a_file_that_is_no_text_is_told(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = rules / "packs" / "computed.yaml"
    path.write_bytes(path.read_bytes() + b"\n\xff")
    assert main(["packs", "check", "--root", str(rules)]) == 1
    assert "no UTF-8" in capsys.readouterr().out


def test_a_paper_is_found_by_its_miscited_number() -> None:
    handler = HANDLERS["paper"]
    rules = loader.load_rulebook()
    for number in ("人社部发〔2021〕71号", "人社部发[2021] 71号", "人社厅发（2021）71号"):
        found = handler({"ask": "paper", "number": number}, rules)
        (paper,) = found["papers"]
        assert (paper["id"], paper["number"]) == ("national-2021-71", "人社厅发〔2021〕71号")
        assert paper["by"] == ("alias" if number.startswith("人社部") else "number")
        assert len(found["clauses"]) == 110
    weihai = handler({"ask": "paper", "number": "威海市数字工程师培育项目实施方案"}, rules)
    assert weihai["papers"][0]["valid_from"] == date(2023, 5, 24).isoformat()
    by_id = handler({"ask": "paper", "number": "shanxi-2024-27"}, rules)
    assert by_id["papers"][0]["by"] == "id"
