"""`mingcha prepare`: migrate, then settle, in one process: what `run` needs before it serves."""

import argparse

from backend.commands import migrate, settle


def main(args: argparse.Namespace) -> int:
    """Both in turn; the first that fails says so."""
    return migrate.main(args) or settle.main(args)
