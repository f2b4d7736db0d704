#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare_table.py CASES RESULTS: the table of bench/compare.

CASES has lines "CASE<tab>UNIT<tab>GOAL<tab>GOAL...", RESULTS lines "case,system,run,value".
"""
import collections
import statistics
import sys

COLUMNS = ["us", "us-nolatency", "us-threads", "kernel", "kernel-latency", "device",
           "device-latency", "mechanism", "mechanism-latency", "plain", "peer"]


def read_cases(path):
    """Names with unit and goals, in order."""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            name, unit, *goals = line.rstrip("\n").split("\t")
            yield name, unit, goals


def read_results(path):
    """Values by case and system."""
    values = collections.defaultdict(list)
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            name, system, _run, value = line.strip().split(",")
            values[name, system].append(float(value))
    return values


class Results:
    """What was measured."""

    def __init__(self, values):
        self.values = values

    def best(self, case, column):
        """(system, values) of the faster of as it comes and advised, or None."""
        found = [(system, self.values[case, system]) for system in (column, column + "-advised")
                 if (case, system) in self.values]
        return min(found, key=lambda item: statistics.median(item[1]), default=None)

    def median(self, case, column):
        found = self.best(case, column)
        return statistics.median(found[1]) if found else None

    def cell(self, case, column):
        found = self.best(case, column)
        if not found:
            return "-"
        system, values = found
        mark = "*" if system.endswith("-advised") else ""
        spread = f" ({short(min(values))}-{short(max(values))})" if len(values) > 1 else ""
        return short(statistics.median(values)) + mark + spread


def short(value):
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def goal_value(goal, median):
    """What the left side of a goal is, or None; median(system) is the measured."""
    first, *rest = goal.split()[:-2]
    value = median(first)
    if value is None or not rest:
        return value
    operator, other = rest
    other = median(other)
    if other is None or (operator == "/" and not other):
        return None
    return value / other if operator == "/" else value - other


def goal_met(goal, value):
    """met, not met, or - where it was not measured."""
    comparison, limit = goal.split()[-2:]
    if value is None:
        return "-"
    met = value <= float(limit) if comparison == "<=" else value >= float(limit)
    return "met" if met else "not met"


def goal_cells(results, case, goal):
    """Ratio, with the request held, what is asked for, and whether it is so."""
    def held(system):
        if system == "us" or system.endswith("-latency"):
            return results.median(case, system)
        return results.median(case, system + "-latency")

    value = goal_value(goal, lambda system: results.median(case, system))
    other = goal_value(goal, held) if len(goal.split()) > 3 else None
    return [show_goal(value), show_goal(other), goal, goal_met(goal, value)]


def show_goal(value):
    return "-" if value is None else f"{value:.2f}"


def rows(cases, results, columns):
    yield ["case", "unit", *columns, "ratio", "held", "goal", ""]
    for case, unit, goals in cases:
        cells = [case, unit, *(results.cell(case, column) for column in columns)]
        for goal in goals or [None]:
            more = goal_cells(results, case, goal) if goal else ["-", "-", "-", "-"]
            yield cells + more
            cells = [""] * len(cells)


def print_aligned(lines):
    lines = list(lines)
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def print_advised(cases, results):
    """Files under the kernel, as it comes and advised: the table has the faster one."""
    lines = []
    for case, _unit, _goals in cases:
        if (case, "kernel-advised") in results.values:
            cells = [statistics.median(results.values[case, system])
                     if (case, system) in results.values else None
                     for system in ("kernel", "kernel-advised", "kernel-latency",
                                    "kernel-latency-advised")]
            lines.append([case, *("-" if cell is None else short(cell) for cell in cells)])
    if lines:
        print("\nfiles under the kernel; * above: advised was the faster one")
        print_aligned([["case", "kernel", "advised", "kernel-latency", "advised"], *lines])


def main():
    cases = list(read_cases(sys.argv[1]))
    results = Results(read_results(sys.argv[2]))
    names = [case for case, _unit, _goals in cases]
    columns = [column for column in COLUMNS if any(results.best(name, column) for name in names)]
    print_aligned(rows(cases, results, columns))
    print_advised(cases, results)


main()
