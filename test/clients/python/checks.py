"""What the Python programs share: a step that reports itself, and the records that they put.

A program prints one line of JSON for each step, {"step", "ok", "error"}; the test reads nothing else. A step that fails
does not end the program, so that one run tells everything that is wrong.
"""

import contextlib
import json
import re
import sys
import time

PARTITIONS = 3
RECORDS = 1000

setting = json.loads(sys.argv[1])


@contextlib.contextmanager
def step(name):
    try:
        yield
        report = {"step": name, "ok": True}
    except Exception as error:
        report = {"step": name, "ok": False, "error": f"{type(error).__name__}: {error}"}
    print("\n" + json.dumps(report), flush=True)


def equal(actual, expected, what):
    if actual != expected:
        raise AssertionError(f"{what}: {shorten(actual)} instead of {shorten(expected)}")


def shorten(value):
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}…"


def refused(call, pattern):
    """The call fails with an error whose text matches; resolves to that error."""
    try:
        call()
    except Exception as error:
        if not re.search(pattern, str(error)):
            raise AssertionError(f"refused, but not with {pattern}: {type(error).__name__}: {error}") from error
        return error
    raise AssertionError("was not refused")


def eventually(what, call, seconds=20):
    end = time.monotonic() + seconds
    while not call():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.1)


def payload(index):
    """Text with everything that a form of transport may trip over, of very different sizes."""
    return f'{index} ü 数据 +/= "\\" & ' + "x" * (index % 500)


def address(index):
    """Where the record goes: every way to choose a partition in turn."""
    if index % 10 == 0:
        return {"partition_id": "shardId-0000000001"}
    if index % 10 == 1:
        return {"partition_id": "2"}
    if index % 10 == 2:
        return {"explicit_hash_key": "0", "partition_key": "ignored"}
    return {"partition_key": f"key-{index % 37}"}


def expected_order(results):
    """Of (partition, number) of each put record in order: {partition: [(number, payload)]} as they must be read."""
    partitions = {}
    for index, (partition, number) in enumerate(results):
        partitions.setdefault(partition, []).append((number, payload(index)))
    for partition, records in partitions.items():
        equal([number for number, _ in records], list(range(len(records))), f"numbers of {partition}")
    equal(len(partitions), PARTITIONS, "partitions written to")
    return partitions
