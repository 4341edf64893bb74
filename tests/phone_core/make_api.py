"""Writes the phone's types of the API anew: ``python -m tests.phone_core.make_api``.

A test compares the file with what the app describes today.
"""

import subprocess
import tempfile
from pathlib import Path

import msgspec

from backend.app import create_app
from backend.phone.build import HERE, NODE, packages
from backend.settings import Database, Settings, Store

FILE = HERE / "src" / "wire" / "api.d.ts"
CLI = "node_modules/openapi-typescript/bin/cli.js"


def document() -> bytes:
    """The OpenAPI of what a phone may ask; nothing is connected for it."""
    nowhere = Settings(
        database=Database("", 0, "", {"app": "none"}),
        store=Store("http://127.0.0.1:1", "http://127.0.0.1:1", "none", "none"),
        keys=Path(tempfile.gettempdir()) / "none",
        origin="http://127.0.0.1:1",
        duties=(),
        faces=("field",),
    )
    schema = create_app(nowhere).openapi_schema.to_schema()
    for path in schema["paths"].values():
        for deed in path.values():
            # A refusal has one form; what a phone reads of it stands in its own code.
            told = deed["responses"]
            deed["responses"] = {code: told[code] for code in told if code.startswith("2")}
    return msgspec.json.encode(schema)


def types() -> str:
    """The TypeScript of that document."""
    packages()
    with tempfile.TemporaryDirectory() as folder:
        asked, made = Path(folder) / "openapi.json", Path(folder) / "api.d.ts"
        asked.write_bytes(document())
        subprocess.run(
            [NODE, CLI, str(asked), "--output", str(made), "--root-types", "false"],
            cwd=HERE,
            check=True,
            capture_output=True,
        )
        return made.read_text("utf-8")


if __name__ == "__main__":
    FILE.write_text(types(), "utf-8")
