"""Builds the verifiers of a bundle: `verify.py`, `verify.html` and `verify.sh`, one file each.

`verify.py` holds the modules of `media.offline` byte for byte, packed as the draw's verifier is:
joined as plain text they take more than the 800 lines allowed. Their digests stand beside them in
plain text, and ``verify.py --source`` writes them out with every comment.
Source: evidence-and-sync 9; ADR 0017.
"""

import base64
import bz2
import hashlib
import inspect
import json
from functools import cache
from pathlib import Path
from types import ModuleType

from media.offline import boxes, checks, curves, proofs, reading, report, stamps, trees, words

HERE = Path(reading.__file__).parent
# Each after those it needs.
MODULES: tuple[ModuleType, ...] = (
    reading,
    curves,
    boxes,
    proofs,
    stamps,
    trees,
    checks,
    words,
    report,
)
SCRIPTS = (
    "reading.js",
    "curves.js",
    "boxes.js",
    "proofs.js",
    "stamps.js",
    "checks.js",
    "report.js",
)
_WIDTH = 96
_PROGRAM = '''\
#!/usr/bin/env python3
"""明察 Mingcha: checks an evidence bundle 证据包 offline.

    python3 verify.py [bundle.zip or folder] [--trust FINGERPRINT]... [--lines]
    python3 verify.py --source        writes out all of the source that runs here

Python 3.8 or newer and its standard library, no network; nothing is written. Without a name it
checks the folder that it lies in. --trust takes the fingerprints of the office's two keys, as
published elsewhere. Exit code 0 when all holds, 1 when something does not, 3 when all that was
checked holds and a part was not checked, 2 when there is nothing to read.

PACKED holds the product's own modules (JSON of names and texts, bzip2, base 85), MODULES the
SHA-256 of each, as `sha256sum` gives it of the files in the product's sources. Apache-2.0.
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
            raise SystemExit("verify.py was damaged: " + name)
    return texts


def load(texts):
    """Run the modules under their own names, never those that may lie in this directory."""
    for name in ("media", "media.offline"):
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
        sys.exit(load(found).main(__file__))
'''


@cache
def verify_py() -> bytes:
    """The text of `verify.py`, the same bytes wherever the modules are the same."""
    texts = {module.__name__: inspect.getsource(module) for module in MODULES}
    # bzip2, because its output has not changed in twenty years, and zlib's differs by builder.
    packed = base64.b85encode(bz2.compress(json.dumps(texts).encode())).decode()
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    filled = _PROGRAM % {
        "modules": "\n".join(f'    "{name}":\n        "{d}",' for name, d in digests.items()),
        "packed": "\n".join(packed[at : at + _WIDTH] for at in range(0, len(packed), _WIDTH)),
    }
    return filled.encode()


@cache
def verify_sh() -> bytes:
    """The shell's verifier, as it lies in the sources."""
    return (HERE / "verify.sh").read_bytes()


@cache
def verify_html() -> bytes:
    """The browser's verifier: page, style, words and scripts in one file."""
    page = (HERE / "verify.html").read_text("utf-8")
    tables = {"FORMS": reading.FORMS, "PATTERNS": reading.PATTERNS, "WORDS": words.WORDS}
    # A closing tag inside a text would end the script.
    spelled = {
        name: json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
        for name, value in tables.items()
    }
    script = [f"const {name} = {text};" for name, text in spelled.items()]
    script += [(HERE / name).read_text("utf-8") for name in SCRIPTS]
    page = page.replace("/* style */", (HERE / "verify.css").read_text("utf-8"))
    return page.replace("/* script */", "\n".join(script)).encode()


def programs() -> dict[str, bytes]:
    """All three by the names they have in a bundle."""
    return {
        "verify.html": verify_html(),
        "verify.py": verify_py(),
        "verify.sh": verify_sh(),
    }
