"""`mingcha migrate`: database and buckets up to date."""

import argparse
import asyncio

from backend.services import schema
from backend.settings import from_environment
from media.bucket import Bucket


def main(_args: argparse.Namespace) -> int:
    """Run missing migrations and make missing buckets; safe to repeat."""
    settings = from_environment()
    ran = asyncio.run(schema.migrate(settings.database))
    Bucket.of(settings.store).ensure_buckets()
    print(f"数据库与存储已就绪 database and buckets are up to date ({len(ran)} migrations).")
    return 0
