"""Time from pressing train to the first finished step, against the goal of 0.2 s on the small networks.

    python benchmarks/start.py

Counted from the making of the session (its thread, the plans, the weights) to the telemetry of step 1, in a process
that has imported the program, as the window has. Also the time that importing the engine takes in a fresh interpreter.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from _ours import build
from cpu import CASES

from nndesigner.training.session import Session

TIMES = 7


def first_step(one: dict) -> float:
    """Seconds until step 1 is done."""
    began = time.perf_counter()
    session = Session(lambda: build(one))
    session.single_step()
    while session.poll()[0].step < 1:
        time.sleep(0.0005)
    found = time.perf_counter() - began
    session.close(10)
    return found


def main() -> None:
    code = "import time; t = time.perf_counter(); import nndesigner.training.session; print(time.perf_counter() - t)"
    imports = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(3)]
    print(f"{'importing the engine':45} {1000 * statistics.median(imports):8.1f} ms")
    for one in CASES:
        times = [first_step(one) for _ in range(TIMES)]
        print(f"{one['name']:45} {1000 * statistics.median(times):8.1f} ms  (first {1000 * times[0]:.1f}, "
              f"longest {1000 * max(times):.1f}; data making included)")


if __name__ == "__main__":
    main()
