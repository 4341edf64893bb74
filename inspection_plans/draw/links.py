"""Chains of secrets: a year of draws committed to by one tip (draw.md section 3.5).

Link 0 is the tip and public from the start; link i is what hashes to link i - 1; the root, link
`length`, is chosen once. A party's secret for a draw is derived from the next link instead of
being it: a link tells every link before it, and with them the targets of an earlier draw that is
still sealed. Links themselves are opened when no draw of a lower link is sealed any more.
"""

from __future__ import annotations

from .digest import hexdigest
from .errors import DrawRefusal
from .seed import tagged, unhex


def hashed(alg: str, link: str, times: int = 1) -> str:
    """Give the link `times` before this one, nearer to the tip; hex."""
    for _ in range(times):
        link = hexdigest(alg, unhex(link, "link"))
    return link


def link_at(alg: str, root: str, length: int, index: int) -> str:
    """Give link `index` of a chain from its root. Raises: E_NUMBER beyond 0..length."""
    if not 0 <= index <= length:
        raise DrawRefusal("E_NUMBER", "index", index=index)
    return hashed(alg, root, length - index)


def link_secret(alg: str, link: str) -> str:
    """Derive the secret of a draw from its link; 64 hexadecimal digits."""
    return hexdigest(alg, tagged("ssj1.link") + unhex(link, "link"))


def steps(alg: str, link: str, anchor: str, most: int) -> int | None:
    """Tell how many links after `anchor` this one stands, from 1 to `most`; None for no link."""
    for count in range(1, most + 1):
        link = hashed(alg, link)
        if link == anchor:
            return count
    return None
