"""How a page names a clause: the number of its notice and its section, as the papers cite it."""

from inspection_plans.loader import load
from inspection_plans.vocabulary import ClauseId


def cite(code: str) -> str:
    """``weihai-2023-25/6.2/statistics`` as 威人社函…号 六(二); an unknown code as it is."""
    library = load()
    clause = library.clauses.get(ClauseId(code))
    pack = library.packs.get(code.partition("/")[0])
    if clause is None or pack is None:
        return code
    return f"{pack.number} {clause.section}"
