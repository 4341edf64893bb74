"""`mingcha packs check` and `coverage`: the rules' files read strictly, what checks a clause."""

import argparse
from pathlib import Path

from backend.services.texts import wording
from inspection_plans.coverage import coverage, unchecked
from inspection_plans.loader import HOME, read_rulebook, rulebook_problems
from inspection_plans.reading import PackRefusal
from inspection_plans.vocabulary import CheckMode


def main(args: argparse.Namespace) -> int:
    """Check or show the rules under ``--root`` (a folder with packs, policy and workdays)."""
    root = args.root or HOME
    if found := rulebook_problems(root):
        for refusal in found:
            print(explained(refusal))
        return 1
    return show_coverage(root) if args.what == "coverage" else show_count(root)


def explained(refusal: PackRefusal) -> str:
    """One line: file, line, clause, what is wrong, what to do."""
    facts = dict(refusal.facts)
    place = f"{facts.pop('file', '?')}:{facts.pop('line', '?')}"
    clause = facts.pop("clause", None)
    words = wording(refusal.code, "en")
    detail = ", ".join(f"{name}: {value}" for name, value in facts.items())
    named = f" {clause}:" if clause else ""
    field = f" ({refusal.field})" if refusal.field else ""
    return f"{place}:{named} {words.title}{field}; {detail or words.todo} [{refusal.code}]"


def show_count(root: Path) -> int:
    """Say that all holds."""
    print(f"{len(read_rulebook(root).library.clauses)} clauses, all files hold")
    return 0


def show_coverage(root: Path) -> int:
    """List each clause with what checks it; 1 when a clause that can be checked is not."""
    rules = read_rulebook(root)
    library = rules.library
    checks = coverage(library, {rule.id: rule.clauses for rule in rules.desk.values()})
    left = unchecked(library, checks)
    for clause in library.clauses.values():
        shown = "shown only" if clause.check_mode is CheckMode.INFORMATIONAL else "UNCHECKED"
        print(f"{clause.id}\t{clause.check_mode}\t{'; '.join(checks[clause.id]) or shown}")
    print(f"{len(checks)} clauses, {sum(map(bool, checks.values()))} checked, {len(left)} missing")
    return 1 if left else 0
