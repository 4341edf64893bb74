"""`mingcha serve`: one process whose servers the environment names."""

import argparse
import sys

import uvicorn

from backend import logs
from backend.asgi import app


def main(args: argparse.Namespace) -> int:
    """Serve until stopped; the proxy in front is asked for TLS and the client's address."""
    logs.configure(sys.stderr)
    uvicorn.run(
        app, host=args.host, port=args.port, loop="uvloop", http="httptools", access_log=False
    )
    return 0
