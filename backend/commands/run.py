"""`mingcha run`: an empty office on embedded servers."""

import argparse
from pathlib import Path

from backend.commands import office
from backend.embedded.supervisor import start


def main(args: argparse.Namespace) -> int:
    """Start servers, migrate, print the administrators' links once, serve until stopped."""
    data: Path = args.data
    if office.unfinished(data):
        print(
            "此目录的恢复没有完成，请清空后重新恢复。 "
            "A restore into this folder was cut off; empty it and restore again."
        )
        return 1
    origin = f"http://127.0.0.1:{args.port}"
    with start(data / "servers", origin=origin) as running:
        for notice in running.notices:
            print(notice)
        settings = office.settings_of(running, data, origin)
        office.remember(settings, data)
        child = office.verb(running, settings, "prepare", log=data / "prepare.log")
        running.children.remove(child)
        failed = child.process.wait()
        print(child.tail() if failed else child.tail().rpartition("\n--\n")[2])
        if failed:
            return 1
        office.serve(running, settings, args.port, log=data / "app.log")
        print(f"明察 Mingcha: {origin}  (Ctrl-C 停止 stops)")
        return office.wait(running)
