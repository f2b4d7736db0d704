# SPDX-License-Identifier: MIT
"""Traces: random ones, and how each format writes them. References are (page, write)."""
import itertools
import random
import struct


def save(path, data):
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())
    return path


# ---- formats ---------------------------------------------------------------------------------

def text(references):
    return "".join(f"{page}\n" for page, _ in references)


def prefixed(references):
    return "# pages\n\n" + "".join(f"  {page:#x} \r\n" for page, _ in references)


def hexadecimal(references):
    return "".join(f"{page:016x}\n" for page, _ in references) + "fedcba9876543210\n"


def csv(references):
    return "time, page ,what\n" + "".join(
        f'{now}, "{page}" ,"a,b"\n' for now, (page, _) in enumerate(references))


def oracle(references):
    return b"".join(struct.pack("<IQIq", now // 9, page, 7, -1)
                    for now, (page, _) in enumerate(references))


def lackey(references):
    lines = ["==12== Lackey, an example Valgrind tool", "==12== "]
    lines += [f" {'M' if write else 'L'} {page * 4096 + now % 4000:08x},{1 + now % 90}"
              for now, (page, write) in enumerate(references)]
    return "\n".join(lines) + "\n==12== Exit code:       0\n"


def checksum(data, value=0):
    """CRC-32C, bit by bit."""
    value ^= 0xffffffff
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
    return value ^ 0xffffffff


def leb128(value):
    result = b""
    while value > 127:
        result += bytes([value & 127 | 128])
        value >>= 7
    return result + bytes([value])


def record(page, before, write, thread, thread_before):
    step = (page - before) % (1 << 64)
    step = 2 * step if step < 1 << 63 else 2 * ((1 << 64) - step) - 1
    first = write | (thread != thread_before) << 1 | (step & 31) << 2 | (step > 31) << 7
    return (bytes([first]) + (leb128(step >> 5) if step > 31 else b"") +
            (leb128(thread) if thread != thread_before else b""))


def pagerd(references, block_records=1000):
    """As include/pagerd/trace.h describes it, and not as src/trace_encode.c does it."""
    result = b"\x89pgt\r\n\x1a\n" + struct.pack("<HH", 1, 12)
    total = checksum(result)
    result += struct.pack("<I", total)
    for begin in range(0, len(references), block_records):
        block = references[begin:begin + block_records]
        page = thread = 0
        records = b""
        for now, (next_page, write) in enumerate(block):
            records += record(next_page, page, write, now // 7 % 3, thread)
            page, thread = next_page, now // 7 % 3
        head = struct.pack("<II", len(records), len(block))
        total = checksum(records, checksum(head, total))
        result += head + struct.pack("<I", total) + records
    end = struct.pack("<IIQ", 0, 0, len(references))
    return result + end + struct.pack("<I", checksum(end, total))


# ---- references ------------------------------------------------------------------------------

def zipf(source, pages, count):
    weights = list(itertools.accumulate(1 / rank for rank in range(1, pages + 1)))
    names = source.sample(range(10 * pages), pages)
    return source.choices(names, cum_weights=weights, k=count)


def random_references(source, count):
    """One of several kinds, with some writes."""
    pages = source.randrange(1, 200)
    pattern = source.randrange(4)
    if pattern == 0:
        trace = [source.randrange(pages) for _ in range(count)]
    elif pattern == 1:
        trace = zipf(source, pages, count)
    elif pattern == 2:
        trace = [now % pages for now in range(count)]
    else:
        trace = [source.randrange(pages) + now // 300 * 50 for now in range(count)]
    ratio = source.choice([0, 0.1, 0.5, 1])
    return [(page, source.random() < ratio) for page in trace]


def seeded(seed):
    print(f"PAGERD_SEED={seed}")
    return random.Random(seed)
