"""Keys of filed rows: one row one key, whoever leaves out what."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from backend.services.filed_rows import KEY_SIGNS, qualified, references, whole
from inspection_plans.filings.exams import Candidate
from inspection_plans.filings.training import Attendance, ListReport, Trainee

OWNER, OTHER = "91370000000000001X", "91370000000000002X"
PARTS = st.text("abc019._-", min_size=1, max_size=40)


@given(PARTS, PARTS)
def test_what_is_left_out_is_put_before(period: str, number: str) -> None:
    """Said short, with the class, or whole: the same key; again it stays."""
    key = whole(number, OWNER, period, room=False)
    assert whole(f"{period}:{number}", OWNER, "elsewhere", room=False) == key
    assert whole(f"{OWNER}:{period}:{number}", OTHER, "elsewhere", room=False) == key
    assert len(key) <= KEY_SIGNS


@given(st.lists(st.tuples(st.sampled_from([OWNER, OTHER]), PARTS, PARTS), unique=True))
def test_no_two_rows_share_a_key(rows: list[tuple[str, str, str]]) -> None:
    keys = {whole(number, owner, period, room=False) for owner, period, number in rows}
    assert len(keys) == len(rows)


@given(PARTS)
def test_a_class_is_called_alike_by_everybody(code: str) -> None:
    assert whole(code, OWNER, "B001", room=True) == f"{OWNER}:{code}"
    assert whole(f"{OWNER}:{code}", OTHER, "B001", room=True) == f"{OWNER}:{code}"


def test_rows_point_at_each_other() -> None:
    """An evaluator names a trainee of a school; the school's own rows need the number alone."""
    trainee = Trainee(id="1", class_id="C001", person="p-1", enrolled_on=date(2026, 2, 20))
    came = Attendance(trainee_id="1", attended=("L01", "L02"))
    told = ListReport(
        id="1",
        class_id="C001",
        recipient="hr_department_province",
        reported_on=date(2026, 4, 1),
        trainees=("1",),
    )
    sits = Candidate(id="7", batch_id="B001", person="p-1", trainee_id=f"{OWNER}:C001:1")
    mine = [qualified(row, OWNER, "C001") for row in (trainee, came, told)]
    theirs = qualified(sits, OTHER, "B001")
    assert isinstance(mine[0], Trainee)
    assert mine[0].id == f"{OWNER}:C001:1"
    assert references(mine[1]) == [f"{OWNER}:C001:{n}" for n in ("1", "L01", "L02")]
    assert references(mine[2]) == [f"{OWNER}:C001", f"{OWNER}:C001:1"]
    assert references(theirs) == [f"{OWNER}:C001:1", f"{OTHER}:B001"]
    assert mine[0].person == "p-1"
