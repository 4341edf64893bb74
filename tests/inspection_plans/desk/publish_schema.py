"""Write the published schema of the filings document from its records."""

import json
from pathlib import Path

from inspection_plans import loader
from inspection_plans.filings import schema as filings_schema
from inspection_plans.records import plain

FILE = Path(filings_schema.__file__).with_name("filings.schema.json")

if __name__ == "__main__":
    made = filings_schema.schema(plain(loader.load_rulebook().example))
    FILE.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", "utf-8")
