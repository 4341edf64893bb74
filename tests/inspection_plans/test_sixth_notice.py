"""A sixth, invented notice added by writing YAML only: everything that asks, knows it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from inspection_plans import loader
from inspection_plans.ask.table import answer_line
from inspection_plans.rulebook import Rulebook

NOTICE = """\
id: jilin-2024-99
title: 虚构省数字技术工程师培育项目补充通知
number: 虚人社字〔2024〕99号
issuer: 虚构的省厅
jurisdiction: CN-22
issued: 2024-06-01
printed: null
valid_from: 2024-06-01
valid_until: 2024-12-31
parents: [national-2021-71]
aliases: [虚人社发〔2024〕99号]
"""
CLAUSES = """\
- id: jilin-2024-99/1/loan
  section: 一
  subject: [training_institution]
  kind: prohibition
  concept: training_loan
  rule: {zh: 不得发放培训贷。, en: No training loan.}
  check_mode: field_check
  severity: critical
  consequence: national-2021-71/6.3/exit-catalogue
- id: jilin-2024-99/2/list
  section: 二
  subject: [training_institution]
  kind: deadline
  concept: trainee_list_report
  rule: {zh: 学员名单二十日内报送省厅和市局。, en: Lists within 20 days to province and city.}
  parameters:
    amount: 20
    unit: day
    day_type: calendar
    trigger_event: training_completed
    recipient: [hr_department_province, 'hr_department_city:220100']
  check_mode: automatic
  severity: major
- id: jilin-2024-99/3/issue
  section: 三
  subject: [evaluation_institution]
  kind: deadline
  concept: certificate_issue
  rule: {zh: 审核通过后七个工作日内发证。, en: Certificates within 7 working days.}
  parameters: {amount: 7, unit: day, day_type: working, trigger_event: audit_passed}
  check_mode: automatic
  severity: minor
- id: jilin-2024-99/4/notice-board
  section: 四
  subject: [training_institution]
  kind: duty
  concept: fee_publication
  rule: {zh: 门口悬挂收费公示牌。, en: A board with the fees hangs at the door.}
  check_mode: field_check
  severity: minor
- id: jilin-2024-99/5/appeal
  section: 五
  subject: [training_institution]
  kind: deadline
  concept: fee_appeal
  rule: {zh: 对收费决定可在一个月内申诉。, en: Appeals against fees within a month.}
  parameters: {amount: 1, unit: month, day_type: calendar}
  check_mode: automatic
  severity: minor
- id: jilin-2024-99/6/high-pass-rate
  section: 六
  subject: [training_institution]
  kind: prohibition
  concept: high_pass_rate
  rule: {zh: 不得宣传高通过率。, en: No high pass rate in adverts.}
  check_mode: field_check
  severity: critical
"""
WORD = """\
- concept: high_pass_rate
  term: 过关王牌
  forms: [过关王牌]
"""
COUNTING = """\
- concept: fee_appeal
  zh: 收费申诉
  en: appeal against a fee
  asks: day
  trigger: {zh: 决定之日, en: day of the decision}
  ends: duty
  strictest: earliest
  amount: amount
  basis: {kind: house_default, zh: 虚构, en: invented}
"""
ITEM = """\
- code: TI-90
  section: money
  zh: （虚构省）门口悬挂收费公示牌
  en: A board with the fees hangs at the door
  severity: minor
  jurisdictions: [CN-22]
  answer:
  - {name: result, type: yes_no_na}
  clauses: [jilin-2024-99/4/notice-board]
"""
SUMMER = {"jurisdiction": "CN-22", "on": "2024-07-01"}


def write(root: Path) -> Path:
    for name in ("packs", "policy", "workdays"):
        shutil.copytree(loader.HOME / name, root / name)
    packs = root / "packs"
    folder = packs / "jilin-2024-99"
    folder.mkdir()
    (folder / "notice.yaml").write_text(NOTICE, encoding="utf-8")
    (folder / "clauses.yaml").write_text(CLAUSES, encoding="utf-8")
    added = {"deadlines.yaml": COUNTING, "sheets/TI.yaml": ITEM, "lexicon/terms.yaml": WORD}
    for name, text in added.items():
        path = packs / name
        path.write_text(path.read_text(encoding="utf-8").rstrip() + "\n" + text, encoding="utf-8")
    replace(packs / "terms.yaml", "  [accept_supervision,", "  [fee_appeal, accept_supervision,")
    known = "  - national-2021-71/6.3/loan\n"
    replace(packs / "sheets/TI.yaml", known, known + "  - jilin-2024-99/1/loan\n")
    return root


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    return loader.read_rulebook(write(tmp_path_factory.mktemp("sixth")))


def ask(rules: Rulebook, name: str, **fields: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer_line(json.dumps({"ask": name, **fields}), rules))
    return found


def deadline(rules: Rulebook, concept: str, trigger: str, place: str = "CN-22") -> dict[str, Any]:
    return ask(rules, "deadline", concept=concept, jurisdiction=place, trigger=trigger)


def test_the_files_hold(tmp_path: Path) -> None:
    assert loader.rulebook_problems(write(tmp_path)) == ()


def test_it_applies_in_its_province_on_its_days(rules: Rulebook) -> None:
    found = ask(rules, "effective_set", **SUMMER)
    assert found["papers"] == ["national-2021-71", "jilin-2024-99"]
    assert [c for c in found["clauses"] if c.startswith("jilin")] == [
        "jilin-2024-99/1/loan",
        "jilin-2024-99/2/list",
        "jilin-2024-99/3/issue",
        "jilin-2024-99/4/notice-board",
        "jilin-2024-99/5/appeal",
        "jilin-2024-99/6/high-pass-rate",
    ]
    city = ask(rules, "effective_set", jurisdiction="CN-2201", on="2024-12-31")
    assert city["papers"] == found["papers"]
    for day in ("2024-05-31", "2025-01-01"):
        outside = ask(rules, "effective_set", jurisdiction="CN-22", on=day)
        assert outside["papers"] == ["national-2021-71"]


def test_its_deadlines_are_counted(rules: Rulebook) -> None:
    found = deadline(rules, "trainee_list_report", "2024-07-01")
    assert (found["due"], found["arithmetical"]) == ("2024-07-22", "2024-07-21")
    assert found["recipients"] == ["hr_department_province", "hr_department_city:220100"]
    assert found["clauses"] == ["jilin-2024-99/2/list"]
    assert deadline(rules, "certificate_issue", "2024-07-01")["due"] == "2024-07-10"
    assert deadline(rules, "fee_appeal", "2024-08-30")["due"] == "2024-09-30"
    assert deadline(rules, "fee_appeal", "2024-08-30", "CN-37")["due"] is None
    assert deadline(rules, "trainee_list_report", "2025-01-01")["due"] is None
    assert deadline(rules, "trainee_list_report", "2024-07-01", "CN-37")["due"] == "2024-07-31"


def test_its_items_stand_on_the_sheet(rules: Rulebook) -> None:
    items = {item["code"]: item for item in ask(rules, "sheet", sheet="TI", **SUMMER)["items"]}
    assert items["TI-90"]["clauses"] == ["jilin-2024-99/4/notice-board"]
    assert items["TI-08"]["clauses"] == ["national-2021-71/6.3/loan", "jilin-2024-99/1/loan"]
    later = ask(rules, "sheet", sheet="TI", jurisdiction="CN-22", on="2025-01-01")
    assert "TI-90" not in [item["code"] for item in later["items"]]


def test_its_ban_words_are_heard_where_it_stands(rules: Rulebook) -> None:
    def hits(place: str, on: str = "2024-07-01") -> list[tuple[str, list[str]]]:
        text = "本校高通过率，人称过关王牌。"
        found = ask(rules, "advert", jurisdiction=place, text=text, on=on)
        return [(hit["term"], hit["clauses"]) for hit in found["hits"] if hit["mark"] == "hit"]

    ban = ["jilin-2024-99/6/high-pass-rate"]
    assert hits("CN-22") == [("高通过率", ban), ("过关王牌", ban)]
    assert hits("CN-2201") == hits("CN-22")
    assert hits("CN-22", "2025-01-01") == hits("CN-37") == []


def test_its_regions_find_it(rules: Rulebook) -> None:
    assert rules.library.jurisdiction_of(220100) == "CN-22"


def test_it_is_found_by_its_number_and_by_a_slip_of_it(rules: Rulebook) -> None:
    for number in ("虚人社字〔2024〕99号", "虚人社发〔2024〕99号"):
        assert ask(rules, "paper", number=number)["papers"][0]["id"] == "jilin-2024-99"


def test_the_other_places_keep_their_answers(rules: Rulebook) -> None:
    ours = loader.load_rulebook()
    for place in ("national", "CN-37", "CN-3710", "CN-14", "CN-23"):
        where = {"jurisdiction": place, "on": "2024-07-01"}
        for sheet in sorted(ours.library.sheets):
            assert ask(rules, "sheet", sheet=sheet, **where) == ask(
                ours, "sheet", sheet=sheet, **where
            )
        assert ask(rules, "effective_set", **where) == ask(ours, "effective_set", **where)
