"""One step of bench.statistics on the database of DATABASE_URL: python -m bench.step STEP DIRECTORY prints seconds."""

import sys
import time
from pathlib import Path

import django


def main(name: str, directory: str) -> float:
    from bench.statistics import step

    act = step(name, Path(directory))
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


if __name__ == "__main__":
    django.setup()
    print(main(*sys.argv[1:]))
