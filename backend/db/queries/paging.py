"""Pages of lists, newest first: only the tests that were asked for stand in the statement."""

from collections.abc import Sequence

# A test with "{0}" where its value goes, and the value; None was not asked for.
Test = tuple[str, object]


def newest(
    source: str, tests: Sequence[Test], limit: int, *, first: int = 1
) -> tuple[str, list[object]]:
    """The statement of one page and its arguments from number ``first`` on, ``id`` falling.

    ``source`` is all before WHERE. A test spelled as ``$1 is null or …`` would let the database
    settle on one plan for all filters, and walk a million rows that are over for ten that are not.
    """
    given = [one for one in tests if one[1] is not None]
    where = " and ".join(test.format(f"${n}") for n, (test, _) in enumerate(given, first))
    text = f"{source} where {where or 'true'} order by id desc limit {limit:d}"
    return text, [value for _, value in given]
