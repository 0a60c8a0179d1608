"""Checks that are made one after the other: each finds the machine as the one before left it."""
import dataclasses
import json
import sys
import time
import traceback


@dataclasses.dataclass
class Check:
    part: str
    name: str
    body: object


_all = []


def check(function):
    """What a function's name says is checked by running it; it belongs to the part that its file is named after."""
    part = function.__module__.removeprefix("part_")
    _all.append(Check(part, function.__name__.replace("_", " "), function))
    return function


def run(bench, parts):
    """Runs all checks of some parts, and returns how many passed and failed."""
    passed = failed = 0
    for each in _all:
        if each.part not in parts:
            continue
        began = time.monotonic()
        try:
            said = each.body(bench)
            passed += 1
            outcome = "ok    "
        except Exception as error:
            failed += 1
            outcome = "FAILED"
            said = f"{type(error).__name__}: {error}"
            if not isinstance(error, AssertionError):
                traceback.print_exc(file=sys.stdout)
        print(f"{outcome} {each.part}: {each.name} ({time.monotonic() - began:.1f} s)", flush=True)
        if said:
            print("\n".join(f"       {line}" for line in str(said).splitlines()), flush=True)
        if failed and bench.machine.process.poll() is not None:
            print("       the machine is gone", flush=True)
            break
    return passed, failed


def percentiles(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]


def decoded(message):
    return json.loads(message.payload)
