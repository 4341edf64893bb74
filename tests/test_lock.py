"""The lock files: hashed, in step with pyproject.toml, free of registry addresses."""

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file: str) -> dict[str, str]:
    return {normal(n): v for n, v in PIN.findall((ROOT / file).read_text("utf-8"))}


def wanted(requirements: list[str]) -> set[str]:
    return {normal(re.split(r"[<>=!~;\[ ]", line, maxsplit=1)[0]) for line in requirements}


def test_every_requirement_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert wanted(project["dependencies"]) <= set(pins("requirements.lock"))
    dev = wanted(project["optional-dependencies"]["dev"])
    assert dev <= set(pins("requirements-dev.lock"))


def test_the_two_locks_agree() -> None:
    product, dev = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {name: dev[name] for name in product} == product


def test_every_pin_has_a_hash_and_no_address() -> None:
    for file in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / file).read_text("utf-8")
        assert "://" not in text
        blocks = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
        assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_the_tree_holds_no_machine_path_and_no_build_output() -> None:
    listed = subprocess.run(
        ["git", "ls-files"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert not [
        name for name in listed if re.search(r"(^|/)(dist|node_modules|\.venv|\.data)/", name)
    ]
    large = [name for name in listed if (ROOT / name).stat().st_size > 1 << 20]
    assert large == []
