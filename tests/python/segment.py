"""Reads a segment by the words of src/index/FORMAT.md alone, and holds it against the list it was built from.

    segment.py STORE LIST.csv

What this can read, any language can. It is written to be compared with that page, not to be fast.
"""

import csv
import datetime
import pathlib
import struct
import sys

import blake3
import xxhash

STATUSES = [None, "stolen", "lost", "stolen_blank", "revoked", "invalidated"]
TYPES = [None, "passport", "domestic_passport", "identity_card", "visa", "residence_permit", "refugee_travel_document",
         "emergency_travel_document", "seafarers_document", "laissez_passer", "other"]
KEYS, RUNS, REPORTS, REFERENCES, FILTER, SHARDS, PAIRS, PROFILES, AUTHORITIES, STRINGS, COUNTS = range(1, 12)
COMMON = b"te/oasripcnw.hlm-du012g=:bf3y5&_4v9678k%?xCDASFIBEjPTzRNM+LOqHG"


def number(data, at, length):
    return int.from_bytes(data[at:at + length], "little")


def sections(data):
    """The sections by (kind, shard), every byte of the file verified."""
    magic, version, count, length, table_at, documents, numbers, reports, shards = struct.unpack_from("<8sIIQQQQQI", data)
    assert (magic, version, length) == (b"SLTDSEG\0", 2, len(data))
    assert table_at + 64 * count == length and data[60:96] == bytes(36)
    header, table = data[:128], data[table_at:]
    assert blake3.blake3(header[:96] + bytes(32) + table).digest() == header[96:]
    found, end = {}, 128
    for entry in range(0, len(table), 64):
        kind, shard, offset, size, digest, zero = struct.unpack_from("<IIQQ32s8s", table, entry)
        section = data[offset:offset + size]
        assert blake3.blake3(section).digest() == digest and zero == bytes(8)
        assert offset % (4096 if kind == FILTER else 64) == 0 and data[end:offset] == bytes(offset - end)
        found[kind, shard], end = section, offset + size
    assert data[end:table_at] == bytes(table_at - end)
    return found, (documents, numbers, reports, shards)


def node(data, address):
    """Whether a node is final, its final output, and its transitions as (byte, output, address)."""
    if address == 0:
        return True, 0, []
    state, at = data[address], address

    def down(length):
        nonlocal at
        at -= length
        return data[at:at + length]

    if state >> 6 == 3:
        byte = COMMON[(state & 63) - 1] if state & 63 else down(1)[0]
        return False, 0, [(byte, 0, at - 1)]
    if state >> 6 == 2:
        final, count = False, 1
        labels = [COMMON[(state & 63) - 1] if state & 63 else down(1)[0]]
        sizes = down(1)[0]
    else:
        final, count = bool(state & 64), state & 63
        if count == 0:
            count = down(1)[0]
            count = 256 if count == 1 else count
        sizes = down(1)[0]
        if count > 32:
            down(256)
        labels = [down(1)[0] for _ in range(count)]
    targets = [int.from_bytes(down(sizes >> 4), "little") for _ in range(count)]
    outputs = [int.from_bytes(down(sizes & 15), "little") for _ in range(count)]
    final_output = int.from_bytes(down(sizes & 15), "little") if final else 0
    return final, final_output, [
        (label, output, at - target if target else 0) for label, output, target in zip(labels, outputs, targets)
    ]


def keys(data):
    """All keys of a transducer with their values, in order."""
    version, kind = struct.unpack_from("<QQ", data)
    count, root = struct.unpack_from("<QQ", data, len(data) - 20)
    assert (version, kind) == (3, 0)
    found, stack = [], [(root, b"", 0)]
    while stack:
        address, key, value = stack.pop()
        final, output, transitions = node(data, address)
        if final:
            found.append((key, value + output))
        stack.extend((target, key + bytes([label]), value + out) for label, out, target in reversed(transitions))
    assert len(found) == count
    return found


def bits(data, at):
    """The bits of a vector, and where it ends."""
    length, ones = struct.unpack_from("<II", data, at)
    if ones == length:
        return [True] * length, at + 8
    blocks = -(-length // 512)
    vector = [bool(data[at + 8 + i // 8] >> i % 8 & 1) for i in range(length)]
    assert sum(vector) == ones
    return vector, at + 8 + 64 * blocks + 4 * blocks


def day(value):
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=value)).isoformat()


def documents(found, shards):
    """Every document as (number, State, type) with the set of what is reported of it."""
    strings = found[STRINGS, 0]
    count = number(strings, 0, 4)
    ends = [0, *struct.unpack_from(f"<{count}I", strings, 4)]
    texts = [strings[4 + 4 * count:][begin:end].decode() for begin, end in zip(ends, ends[1:])]
    pairs = [found[PAIRS, 0][at:at + 4] for at in range(4, len(found[PAIRS, 0]), 4)]
    authorities = [struct.unpack_from("<III", found[AUTHORITIES, 0], at) for at in range(4, len(found[AUTHORITIES, 0]), 12)]
    profiles = [struct.unpack_from("<BBHIIII", found[PROFILES, 0], at) for at in range(4, len(found[PROFILES, 0]), 20)]
    for shard in range(shards):
        first, count, runs, stored, _ = struct.unpack_from("<24sIIII", found[SHARDS, 0], 40 * shard)
        section = found[RUNS, shard]
        starts, at = bits(section, 0)
        heads, _ = bits(section, at)
        begins = [place for place, head in enumerate(heads) if head] + [stored]
        section = found[REPORTS, shard]
        assert number(section, 0, 4) == stored and sum(starts) == runs
        widths, smallest = section[4:8], struct.unpack_from("<iii", section, 8)
        packed = int.from_bytes(section[24:], "little")
        references = owners_references(found.get((REFERENCES, shard)), stored)

        def report(index):
            rest = packed >> index * sum(widths)
            values = []
            for width in widths:
                values.append(rest & (1 << width) - 1)
                rest >>= width
            status, _, _, _, _, authority, restriction = profiles[values[0]]
            days = tuple(day(least + value - 1) if value else "" for least, value in zip(smallest, values[1:]))
            code = texts[authorities[authority - 1][0]] if authority else ""
            return STATUSES[status], *days, code, texts[restriction], references.get(index, "")

        listed = keys(found[KEYS, shard])
        assert listed[0][0][:-2] == first.rstrip(b"\0") and [rank for _, rank in listed] == list(range(count))
        run = -1
        for key, rank in listed:
            run += starts[rank]
            pair = pairs[int.from_bytes(key[-2:], "big")]
            yield (key[:-2].decode(), pair[:3].decode().rstrip("<"), TYPES[pair[3]]), {
                report(index) for index in range(begins[run], begins[run + 1])
            }


def owners_references(section, stored):
    if section is None:
        return {}
    present, at = bits(section, 0)
    assert len(present) == stored
    at += 4 + 4 * number(section, at, 4)
    found = {}
    for index in (index for index, there in enumerate(present) if there):
        length = section[at]
        found[index], at = section[at + 1:at + 1 + length].decode(), at + 1 + length
    return found


def may_be_reported(blocks, text):
    h = xxhash.xxh3_64_intdigest(text.encode().ljust(24, b"\0"), seed=0)
    words = struct.unpack_from("<QQ", blocks, 16 * (h * (len(blocks) // 16) >> 64))
    return all(words[shift >= 18] >> (h >> shift & 63) & 1 for shift in (0, 6, 12, 18, 24, 30))


def expected(path):
    """What a list says, a document as often as it is named, in a plain reading of it."""
    found = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            report = tuple(row[name] for name in (
                "status", "date_of_loss", "date_reported", "review_date", "authority", "restriction", "owner_reference"))
            begin, end = row["number"], row["range_end"] or row["number"]
            digits = len(begin) - len(begin.rstrip("0123456789"))
            for value in range(int(begin[-digits:] or 0), int(end[-digits:] or 0) + 1) if begin != end else [None]:
                text = begin if value is None else f"{begin[:-digits]}{value:0{digits}}"
                found.setdefault((text, row["issuing_state"], row["type"]), set()).add(report)
    return found


def main(store, path):
    files = list(pathlib.Path(store, "segments").glob("*.seg"))
    assert len(files) == 1, files
    data = files[0].read_bytes()
    found, (count, distinct, reports, shards) = sections(data)
    assert files[0].stem == blake3.blake3(data[:128] + data[number(data, 24, 8):]).hexdigest()
    held = dict(documents(found, shards))
    listed = expected(path)
    assert held == listed, {key for key in held.keys() | listed.keys() if held.get(key) != listed.get(key)}
    texts = {text for text, _, _ in held}
    assert (len(held), len(texts)) == (count, distinct)
    assert all(may_be_reported(found[FILTER, 0], text) for text in texts)
    absent = [text for text in (f"ABSENT{value}" for value in range(2000)) if may_be_reported(found[FILTER, 0], text)]
    assert len(absent) < 200, f"the filter lets {len(absent)} of 2000 absent numbers pass"
    print(f"the segment read by FORMAT.md alone: {count} documents, {reports} stored reports, as in the list")


main(*sys.argv[1:])
