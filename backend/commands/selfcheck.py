"""`mingcha selfcheck`: every door of the embedded store, tried."""

import argparse

from backend.embedded.supervisor import start


def main(args: argparse.Namespace) -> int:
    """Start the servers, print the eighteen lines; 0 when every door is shut."""
    with start(args.data / "servers", origin="http://127.0.0.1:8000", evidence_mode="off") as it:
        for line in it.selfcheck:
            print(f"{'ok ' if line.ok else 'RED'} {line.id:4} {line.zh} / {line.en}")
        return 0 if all(line.ok for line in it.selfcheck) else 1
