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
KEYS, BLOCKS, REPORTS, REFERENCES, FILTER, SHARDS, PAIRS, PROFILES, AUTHORITIES, STRINGS, COUNTS = range(1, 12)
COMMON = b"te/oasripcnw.hlm-du012g=:bf3y5&_4v9678k%?xCDASFIBEjPTzRNM+LOqHG"


def number(data, at, length):
    return int.from_bytes(data[at:at + length], "little")


def sections(data):
    """The sections by (kind, shard), every byte of the file verified."""
    magic, version, count, length, table_at, documents, numbers, reports, shards = struct.unpack_from("<8sIIQQQQQI", data)
    assert (magic, version, length) == (b"SLTDSEG\0", 5, len(data))
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
    assert data[at + 8:at + 64] == bytes(56)
    at += 64
    if ones == length:
        return [True] * length, at
    vector = []
    for line in range(-(-length // 448)):
        rank, *words = struct.unpack_from("<8Q", data, at + 64 * line)
        assert rank == sum(vector)
        vector += [bool(word >> place & 1) for word in words for place in range(64)]
    assert not any(vector[length:]) and sum(vector) == ones
    return vector[:length], at + 64 * -(-length // 448)


def packed(data, at, index, width):
    """Integer `index` of integers of so many bits."""
    first = index * width
    return number(data, at + first // 8, (width + first % 8 + 7) // 8) >> first % 8 & (1 << width) - 1


def block(data, at, prefix, width):
    """The numbers of a block with their records, as (number, place of the record in the shard, record)."""
    first, count, length, bits, form = struct.unpack_from("<IBBBB", data, at)
    base, starts, at = 37 if form & 1 else 11, (1 << count) - 2, at + 8
    if form & 2:
        starts, at = number(data, at, 16), at + 16
    records, record, last = at + (count * bits + 7) // 8, 0, -1
    for index in range(count):
        value = packed(data, at, index, bits)
        assert value > last
        last, text = value, ""
        for _ in range(length):
            value, digit = divmod(value, base)
            text = ("" if digit == 0 else "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digit - 1]) + text
        record += starts >> index & 1
        yield prefix + text, first + record, packed(data, records, record, width)


def day(value):
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=value)).isoformat()


def documents(found, shards):
    """Every document as (number, State, type) with the set of what is reported of it."""
    for document, stated in statements(found, shards):
        yield document, {said for _, _, said in stated}


def statements(found, shards):
    """Every document as (number, State, type) with all that is stated of it, as (flags of the profile, source, report)."""
    strings = found[STRINGS, 0]
    count = number(strings, 0, 4)
    ends = [0, *struct.unpack_from(f"<{count}I", strings, 4)]
    texts = [strings[4 + 4 * count:][begin:end].decode() for begin, end in zip(ends, ends[1:])]
    pairs = [found[PAIRS, 0][at:at + 4] for at in range(4, len(found[PAIRS, 0]), 4)]
    authorities = [struct.unpack_from("<III", found[AUTHORITIES, 0], at) for at in range(4, len(found[AUTHORITIES, 0]), 12)]
    profiles = [struct.unpack_from("<BBHIIIIQqi", found[PROFILES, 0], at) for at in range(4, len(found[PROFILES, 0]), 40)]
    for shard in range(shards):
        first, count, _, inside, chained, stored, _ = struct.unpack_from("<24s6I", found[SHARDS, 0], 48 * shard)
        section = found[REPORTS, shard]
        assert number(section, 0, 4) == chained and section[9:12] == bytes(3)
        widths, smallest = section[4:9], struct.unpack_from("<iii", section, 12)
        width = 1 + sum(widths)
        references = owners_references(found.get((REFERENCES, shard)), inside + chained)

        def report(record, place):
            rest, values = record >> 1, []
            for bits in widths:
                values.append(rest & (1 << bits) - 1)
                rest >>= bits
            pair, profile, *days = values
            status, flags, zero, source, _, authority, restriction, *_ = profiles[profile]
            # Bit 2 and bit 3 are of statements that are no reports.
            assert zero == 0 and flags in (range(4) if status else (0, 1, 4, 5, 8, 9))
            days = tuple(day(least + value - 1) if value else "" for least, value in zip(smallest, days))
            code = texts[authorities[authority - 1][0]] if authority else ""
            said = (STATUSES[status], *days, code, texts[restriction], references.get(place, ""))
            return pairs[pair], (flags, texts[source], said)

        def reports(record, place):
            if record & 1 == 0:
                yield report(record, place)
                return
            chain, more = record >> 1, 1
            while more:
                record = packed(section, 24, chain, width)
                yield report(record, inside + chain)
                chain, more = chain + 1, record & 1

        listed = [
            entry
            for prefix, offset in keys(found[KEYS, shard])
            for entry in block(found[BLOCKS, shard], offset, prefix.decode(), width)
        ]
        assert listed[0][0].encode() == first.rstrip(b"\0") and len(listed) == count
        assert listed == sorted(listed) and {place for _, place, _ in listed} == set(range(inside))
        single = len({place for _, place, record in listed if record & 1 == 0})
        assert stored == single + chained
        for text, place, record in listed:
            reported = {}
            for pair, said in reports(record, place):
                reported.setdefault(pair, []).append(said)
            for pair, said in reported.items():
                yield (text, pair[:3].decode().rstrip("<"), TYPES[pair[3]]), said


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
    first, second = struct.unpack_from("<QQ", blocks, 16 * (h * (len(blocks) // 16) >> 64))
    shape, turn = h >> 6 & 15, h & 63
    bits = [(bit + turn) % 64 for bit in (0, 1 + shape, 17 + 3 * shape, 49 + 7 * shape % 15)]
    return all(first >> bit & 1 for bit in bits) and all(second >> (h >> shift & 63) & 1 for shift in (18, 24, 30))


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


if __name__ == "__main__":
    main(*sys.argv[1:])
