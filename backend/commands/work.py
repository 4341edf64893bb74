"""`mingcha work`: the worker, the log's sequencer and the timer, in a process without a socket."""

import argparse
import asyncio
import os
import signal
import sys

import msgspec
import uvloop

from backend import logs
from backend.app import Edge, opened
from backend.settings import DUTIES, Settings, from_environment

# Whoever waits for an answer comes first: pictures and papers can be a moment later.
NICENESS = 10


async def work(settings: Settings) -> None:
    """Work until asked to stop."""
    asked = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, asked.set)
    async with opened(settings, Edge.of(settings)):
        await asked.wait()


def main(_args: argparse.Namespace) -> int:
    """Work behind the servers that the environment names."""
    logs.configure(sys.stderr)
    os.nice(NICENESS)
    settings = from_environment()
    duties = tuple(duty for duty in DUTIES if duty in settings.duties and duty != "web")
    uvloop.run(work(msgspec.structs.replace(settings, duties=duties)))
    return 0
