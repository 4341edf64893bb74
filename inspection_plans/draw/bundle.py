"""Builds `verify_draw.py`, one file for everybody, out of the modules the engine itself runs.

``python -m inspection_plans.draw.bundle > verify_draw.py``. The modules go in byte for byte,
packed, because stripped and merged they still take 1,400 lines; their digests stand in plain
text beside them, and ``verify_draw.py --source`` writes them out again with every comment.
"""

from __future__ import annotations

import ast
import base64
import bz2
import hashlib
import importlib
import inspect
import json
import sys
from collections.abc import Iterator

ENTRY = "inspection_plans.verify_draw"
_WIDTH = 96
_TEMPLATE = '''\
#!/usr/bin/env python3
"""明察 Mingcha: checks the public record of a draw 双随机抽取 (ssj1) and replays it.

    python3 verify_draw.py record.json [--head HEAD] [--key PARTY=KEY] [--lang zh|en] [--json]
    python3 verify_draw.py --source        writes out all of the source that runs here

Python 3.8 or newer and its standard library, no network. Exit code 0 only when everything holds,
1 when something does not, 2 when there is no record, 3 when a draw was made elsewhere.

Nothing here was written twice: PACKED holds the product's own modules (JSON of names and texts,
bzip2, base 85), MODULES the SHA-256 of each, as `sha256sum` gives it of the files in the
product's sources. Apache-2.0.
"""

import base64
import bz2
import hashlib
import json
import sys
import types

MODULES = {
%(modules)s
}

PACKED = """
%(packed)s
"""


def unpack():
    """Give name -> source of every module, each after those it needs; refuse any other text."""
    texts = json.loads(bz2.decompress(base64.b85decode("".join(PACKED.split()))))
    for name, text in texts.items():
        if MODULES[name] != hashlib.sha256(text.encode("utf-8")).hexdigest():
            raise SystemExit("verify_draw.py was damaged: " + name)
    return texts


def load(texts):
    """Run the modules under their own names, never those that may lie in this directory."""
    for name in ("inspection_plans", "inspection_plans.draw"):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = []
    for name, text in texts.items():
        module = sys.modules[name] = types.ModuleType(name)
        module.__package__ = name.rpartition(".")[0]
        exec(compile(text, name + ".py", "exec"), module.__dict__)
    return module


if __name__ == "__main__":
    found = unpack()
    if sys.argv[1:] == ["--source"]:
        for title, source in found.items():
            sys.stdout.buffer.write(("# ---- %%s\\n%%s\\n" %% (title, source)).encode("utf-8"))
    else:
        sys.exit(load(found).main())
'''


def _needs(text: str, package: str) -> Iterator[str]:
    """Give the names of our own modules that a source imports, in its order."""
    for node in ast.parse(text, feature_version=(3, 8)).body:
        if isinstance(node, ast.ImportFrom) and node.level:
            yield f"{package}.{node.module}"
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("inspection_"):
            yield str(node.module)


def sources(name: str = ENTRY, known: dict[str, str] | None = None) -> dict[str, str]:
    """Give name -> source of a module and of all it needs, each after those it needs itself."""
    known = {} if known is None else known
    if name not in known:
        text = inspect.getsource(importlib.import_module(name))
        for other in _needs(text, name.rpartition(".")[0]):
            sources(other, known)
        known[name] = text
    return known


def verifier() -> str:
    """Give the text of `verify_draw.py`, the same bytes wherever the modules are the same.

    Source: draw.md section 9.
    """
    texts = sources()
    # bzip2, because its output has not changed in twenty years, and zlib's differs by builder.
    packed = base64.b85encode(bz2.compress(json.dumps(texts).encode())).decode()
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    return _TEMPLATE % {
        "modules": "\n".join(f'    "{name}":\n        "{d}",' for name, d in digests.items()),
        "packed": "\n".join(packed[at : at + _WIDTH] for at in range(0, len(packed), _WIDTH)),
    }


if __name__ == "__main__":
    sys.stdout.buffer.write(verifier().encode())
