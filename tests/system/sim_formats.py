#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The same references in every format, told by content, from a file, a pipe or zstd: the same
counts."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import traces

PAGERSIM = os.environ["PAGERD_BUILD"] + "/bench/pagersim"
DIR = os.environ["TEST_DIR"] + "/"
EXTREMES = [(0, False), ((1 << 52) - 1, True), (1, False)]


def run(path, *more, sizes="7,50,30%", data=None):
    """[format, references, writes, footprint, misses of each row]"""
    result = subprocess.run(
        [PAGERSIM, "--policy", "fifo,lru", "--size", sizes, "--json", "-", *more, path],
        input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if result.returncode:
        sys.exit(f"{path} {more}: {result.returncode}: {result.stderr.decode()}")
    report = json.loads(result.stdout)
    return [report["format"], report["references"], report["writes"], report["footprint_pages"],
            [row["misses"] for row in report["rows"]],
            [row["dirty_evictions"] for row in report["rows"]]]


def expect(found, wanted, what):
    if found != wanted:
        sys.exit(f"{what}: {found}, not {wanted}")


def zstd_check(wanted):
    if subprocess.run([PAGERSIM, "--help"], stdout=subprocess.PIPE).stdout.find(b"without libzstd") >= 0:
        print("this pagersim was built without zstd")
        return
    subprocess.run(["zstd", "-q", DIR + "oracle", "-o", DIR + "compressed"], check=True)
    expect(run(DIR + "compressed"), wanted, "zstd")
    with open(DIR + "compressed", "rb") as file:
        data = file.read()
    expect(run("-", data=data), wanted, "zstd on standard input")
    traces.save(DIR + "frames", data + data)
    expect(run(DIR + "frames")[1], 2 * wanted[1], "two zstd frames")


def main():
    source = traces.seeded(4)
    references = EXTREMES + traces.random_references(source, 30000)
    reading = [(page, False) for page, _ in references]
    wanted = run(traces.save(DIR + "pagerd", traces.pagerd(references)))
    expect(wanted[:2], ["pagerd", len(references)], "pagerd")
    expect(wanted[2], sum(write for _, write in references), "writes")
    plain = run(traces.save(DIR + "text", traces.text(reading)))
    expect(plain[0], "text", "text")
    expect(plain[1:5], wanted[1:2] + [0] + wanted[3:5], "text")
    expect(run(traces.save(DIR + "lackey", traces.lackey(references)))[1:], wanted[1:], "lackey")
    expect(run("-", data=traces.lackey(references).encode())[0], "lackey", "lackey's pipe")
    expect(run(traces.save(DIR + "oracle", traces.oracle(reading))),
           ["oracleGeneral"] + plain[1:], "oracleGeneral")
    expect(run(traces.save(DIR + "0x", traces.prefixed(reading))), plain, "0x")
    expect(run(traces.save(DIR + "csv", traces.csv(reading)), "--column", "2"),
           ["csv"] + plain[1:], "csv")
    hexadecimal = run(traces.save(DIR + "hex", traces.hexadecimal(reading)))
    expect(hexadecimal[:2], ["hex", plain[1] + 1], "hex")
    zstd_check(["oracleGeneral"] + plain[1:])
    # An access that crosses a border is two references; merged, they are as many as pages.
    crossing = b" L 00000ffc,8\n L 00001000,4\nI  00001ffe,3\n"
    expect(run("-", sizes="2", data=crossing)[1], 5, "crossing")
    expect(run("-", "--merge", sizes="2", data=crossing)[1], 3, "merged")
    print(f"{len(references)} references in 8 formats: the same counts")


main()
