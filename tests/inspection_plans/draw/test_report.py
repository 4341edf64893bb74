"""`python -m inspection_plans.verify_draw` in this process: what is read, said and answered."""

import io
import json
from pathlib import Path

import pytest

from inspection_plans import replay
from inspection_plans.draw.bundle import verifier
from inspection_plans.draw.report import coded, lines, load
from inspection_plans.draw.verify import verify
from inspection_plans.verify_draw import main
from tests.inspection_plans.draw.cases import Office, Row, an_office
from tests.inspection_plans.draw.histories import eventful, external


def ask(whole: object, tmp_path: Path, *options: str) -> int:
    """The exit code for a record in a file."""
    path = tmp_path / "record.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    return main([str(path), *options])


def test_exit_codes_say_what_became_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = an_office().record()
    assert ask(whole, tmp_path) == 0
    assert ask({**whole, "days": {}}, tmp_path) == 1
    assert ask({"record": None}, tmp_path) == 2
    assert ask([], tmp_path) == 2
    assert ask(external(), tmp_path) == 3
    said = capsys.readouterr()
    assert "验证通过" in said.out
    assert "no object" in said.err


def test_codes_instead_of_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = an_office().record()
    assert ask(whole, tmp_path, "--json", "--head", "ab" * 8, "--key", "operator=00") == 1
    told = json.loads(capsys.readouterr().out)
    assert told == coded(verify(whole, ["ab" * 8], {"operator": "00"}))
    assert set(told["failures"]) == {"heads.missing", "signatures.other_key"}


def test_a_record_may_come_on_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = json.dumps(eventful().sealed("91370001/T"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["--lang", "en"]) == 0
    assert "91370001/T: in the frame, not drawn" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["[1", "[" * 100_000, '{"a": 1.5}', '{"a": 1, "a": 1}', "NaN"])
def test_no_record_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        load(text)


def test_a_broken_record_has_neither_head_nor_keys() -> None:
    whole: Row = {"log": []}
    said = "\n".join(lines(verify(whole), whole, ["en"]))
    assert "head of the log" not in said
    assert "NOT verified" in said


def test_a_draw_with_no_result_is_told() -> None:
    office = Office()
    office.year()
    office.attempt()
    office.outcome = an_office().outcome
    codes = coded(verify(office.record()))["failures"]
    assert {"attempts.no_result", "result.none"} <= set(codes)


def test_the_reference_interface_verifies_too() -> None:
    whole = eventful().record()
    case = {"op": "verify", "record": whole, "heads": [whole["log"][-1]["hash"]]}
    assert replay.answer(json.dumps(case)) == {"ok": coded(verify(whole, case["heads"]))}
    assert replay.answer(json.dumps({"op": "verify"})) == {"error": "E_KEY"}


def test_the_file_is_made_from_what_was_just_run() -> None:
    assert verifier() == verifier()
