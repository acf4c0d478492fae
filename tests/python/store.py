"""Reads a store by the words of src/index/FORMAT.md alone, and holds it against what is reported.

    store.py STORE EXPECTED.json

EXPECTED.json has the documents reported, as a list of [number, issuing State, type, status], and numbers of which nothing
is reported.
"""

import json
import pathlib
import re
import stat
import sys

import blake3

from segment import FILTER, may_be_reported, number, sections, statements

OVERRULED = 2


def read(path, most):
    """The bytes of a regular file, which has at most so many."""
    assert stat.S_ISREG(path.stat().st_mode) and path.stat().st_size <= most, path
    return path.read_bytes()


def manifest(store):
    """The manifest that CURRENT names, held against the digest there."""
    line = re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9.]*) ([0-9a-f]{64})\n", read(store / "CURRENT", 1024).decode())
    data = read(store / "manifests" / line[1], 64 << 20)
    assert blake3.blake3(data).hexdigest() == line[2]
    found = json.loads(data)
    assert found["format"] == 4
    return found


def segment(store, entry):
    """The sections of a segment, its filter, and what is stated by number and State."""
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.]*", entry["file"])
    data = read(store / "segments" / entry["file"], entry["length"])
    assert len(data) == entry["length"]
    assert blake3.blake3(data[:128] + data[number(data, 24, 8):]).hexdigest() == entry["digest"]
    found, (count, _, _, shards) = sections(data)
    assert count == entry["documents"]
    units = {}
    for (text, state, kind), stated in statements(found, shards):
        units.setdefault((text, state), {})[kind] = stated
    return found.get((FILTER, 0)), units


def reported(segments, text):
    """What is shown of a number: documents as (State, type) with their reports."""
    seen, shown = set(), {}
    for blocks, units in reversed(segments):
        if blocks is not None and not may_be_reported(blocks, text):
            continue
        here = {state: documents for (other, state), documents in units.items() if other == text}
        for state in here.keys() - seen:
            for kind, stated in here[state].items():
                said = [said for flags, _, said in stated if said[0] is not None and not flags & OVERRULED]
                if said:
                    shown[state, kind] = said
        seen |= here.keys()
    return shown


def main(store, path):
    store = pathlib.Path(store)
    current = manifest(store)
    # To leave sources out takes the eight rules of the README, which this reader does not have.
    assert not current["retracted"], "sources are out of service"
    segments = [segment(store, entry) for entry in current["segments"]]
    expected = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    texts = {text for _, units in segments for text, _ in units} | set(expected["not_reported"])
    found = sorted(
        [text, state, kind, said[0]]
        for text in texts for (state, kind), reports in reported(segments, text).items() for said in reports
    )
    assert found == sorted(expected["reported"]), found
    assert len({tuple(document[:3]) for document in found}) == current["documents"]
    print(f"the store read by FORMAT.md alone: generation {current['generation']}, {len(segments)} segments, "
          f"{len(found)} reports, as expected")


main(*sys.argv[1:])
