"""Papers are held to the tree: marks of the map, folders and make targets that texts name."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MARK = re.compile(r"`([\w./-]+\.(?:py|js|ts|sql|yaml|html|css))(?:::(\w+))?`")
TARGET = re.compile(r"`make ([a-z-]+)")
FOLDER = re.compile(r"`((?:backend|inspection_plans|media|seed|tests|docs|deploy)/[\w./-]*)`")
PAPERS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def names_of(file: Path) -> set[str]:
    tree = ast.parse(file.read_text("utf-8"))
    defined = {n.name for n in ast.walk(tree) if hasattr(n, "name") and isinstance(n.name, str)}
    assigned = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    return defined | assigned


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_every_mark_points_at_something(paper: Path) -> None:
    lost = []
    for path, name in MARK.findall(paper.read_text("utf-8")):
        file = ROOT / path
        if not file.exists() or (name and name not in names_of(file)):
            lost.append(f"{path}::{name}" if name else path)
    assert lost == []


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_every_target_and_folder_exists(paper: Path) -> None:
    text = paper.read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(TARGET.findall(text)) - targets == set()
    assert [name for name in FOLDER.findall(text) if not (ROOT / name).exists()] == []


def test_the_map_names_every_step_of_the_two_journeys() -> None:
    text = (ROOT / "docs" / "map.md").read_text("utf-8")
    assert len(MARK.findall(text)) >= 25


def test_decisions_have_their_four_parts() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert len(pages) >= 10
    for page in pages:
        text = page.read_text("utf-8")
        for part in ("## Context", "## Decision", "## Consequences", "## Alternatives"):
            assert part in text, f"{page.name}: {part}"
