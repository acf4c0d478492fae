"""Versions below which there are known defects in what faces the network or the disk.

Reads Cargo.lock, so that it holds without a network and without further tools; `deny.toml` and the
advisory database say the same and more.
"""

import re
import sys

FLOORS = {
    "h2": (0, 4, 20),
    "memmap2": (0, 9, 11),
    "rustls": (0, 23, 0),
    "rustls-webpki": (0, 103, 13),
}

with open("Cargo.lock", encoding="utf-8") as lock:
    packages = re.findall(r'name = "(.+)"\nversion = "(\d+)\.(\d+)\.(\d+)', lock.read())
low = [
    f"{name} {'.'.join(version)}: expected at least {'.'.join(map(str, FLOORS[name]))}"
    for name, *version in packages
    if name in FLOORS and tuple(map(int, version)) < FLOORS[name]
]
if not packages:
    low = ["Cargo.lock: no packages found"]
sys.exit("\n".join(low) or None)
