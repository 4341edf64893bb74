"""`mingcha phone`: build the inspector's application, if anything of it has changed."""

import argparse
import sys

from backend.phone.build import BuildFailed, build


def main(_args: argparse.Namespace) -> int:
    """Build; 0 when the folder to serve is there."""
    try:
        print(build())
    except BuildFailed as fault:
        print(f"手机端构建失败 the phone's application was not built:\n{fault}", file=sys.stderr)
        return 1
    return 0
