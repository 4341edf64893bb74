"""The scripts of the pages: small, without dependencies, and the draw without any surroundings."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ASSETS = ROOT / "backend" / "pages" / "assets"
SCRIPTS = sorted(ASSETS.rglob("*.js"))
ENGINE = sorted((ASSETS / "draw").glob("*.js"))
RUNNERS = sorted((ROOT / "tests" / "pages_js").glob("*.mjs"))

# What only a browser or only Node has; TextEncoder is in both.
SURROUNDINGS = re.compile(
    r"\b(document|window|self|globalThis|navigator|localStorage|fetch|crypto|process|require"
    r"|Buffer|setTimeout|performance|console|eval|Function)\b"
)
# Time, chance and the reader's language would make two runs differ.
UNSTEADY = re.compile(r"Math\.random|Date\.now|new Date\(\)|localeCompare|toLocale|Intl\.")
IMPORT = re.compile(r'^(?:import|export) .*?from "([^"]+)";$', re.MULTILINE | re.DOTALL)
EXPORT = re.compile(r"^export (?:function\*?|class|const) (\w+)", re.MULTILINE)


def code(path: Path) -> str:
    """The text without its comments."""
    text = path.read_text("utf-8")
    return re.sub(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("path", [*SCRIPTS, *RUNNERS], ids=lambda path: path.name)
def test_a_script_is_small_and_needs_nothing_but_ours(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    assert len(lines) <= 500
    assert [line for line in lines if len(line) > 99] == []
    for name in IMPORT.findall(code(path)):
        assert name.startswith("node:") if path in RUNNERS and ":" in name else name[0] == "."


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: path.name)
def test_the_draw_knows_neither_browser_nor_node_nor_clock(path: Path) -> None:
    assert SURROUNDINGS.findall(code(path)) == []
    assert UNSTEADY.findall(code(path)) == []


def test_nothing_is_exported_that_nobody_imports() -> None:
    texts = {path: code(path) for path in [*SCRIPTS, *RUNNERS]}
    exported = {(path, name) for path, text in texts.items() for name in EXPORT.findall(text)}
    unused = [
        f"{path.name}: {name}"
        for path, name in exported
        # Hash functions are imported whole, by the name of their file.
        if name not in ("START", "step")
        and not any(re.search(rf"\b{name}\b", text) for p, text in texts.items() if p != path)
    ]
    assert sorted(unused) == []
