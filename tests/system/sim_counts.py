#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pagersim counts what slow and obvious simulations count, to the last digit, on random traces.

PAGERD_SEED takes a printed seed back.
"""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import replacement
import traces

PAGERSIM = os.environ["PAGERD_BUILD"] + "/bench/pagersim"
PATH = os.environ["TEST_DIR"] + "/trace"
TRACES = 60
COUNTS = ("hits", "misses", "evictions", "dirty_evictions")


def rows(sizes):
    output = subprocess.run(
        [PAGERSIM, "--policy", ",".join(replacement.POLICIES), "--size", ",".join(map(str, sizes)),
         "--json", "-", PATH], check=True, stdout=subprocess.PIPE).stdout
    return json.loads(output)["rows"]


def compare(references, sizes):
    """Also that no policy beats min, and that lru misses no more with more pages."""
    misses = {}
    for row in rows(sizes):
        name, size = row["policy"], row["size_pages"]
        expected = replacement.simulate(name, size, references)
        misses[name, size] = row["misses"]
        for count in COUNTS:
            # Which of the pages that are never used again min evicts is its own affair.
            if (name, count) == ("min", "dirty_evictions"):
                continue
            if row[count] != expected[count]:
                sys.exit(f"{name} with {size} pages: {row[count]} {count}, not {expected[count]}")
    for (name, size), count in misses.items():
        assert misses["min", size] <= count, f"{name} beats min with {size} pages"
    in_order = [misses["lru", size] for size in sorted(set(sizes))]
    assert in_order == sorted(in_order, reverse=True), "lru misses more with more pages"


def main():
    source = traces.seeded(int(os.environ.get("PAGERD_SEED", time.time())))
    for number in range(TRACES):
        references = traces.random_references(source, source.randrange(1, 2000))
        footprint = len({page for page, _ in references})
        sizes = [min(footprint, size) for size in
                 (1, source.randrange(1, 20), source.randrange(1, 100), 250)]
        # Text has no writes.
        if number % 2:
            references = [(page, False) for page, _ in references]
            traces.save(PATH, traces.text(references))
        else:
            traces.save(PATH, traces.pagerd(references))
        compare(references, sizes)
    print(f"{TRACES} traces, {len(replacement.POLICIES)} policies, 4 sizes: the same counts")


main()
