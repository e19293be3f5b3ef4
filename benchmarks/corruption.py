"""What decoders make of damaged files: pixels or an error, never a crash, a hang or a heap of memory.

    python -m benchmarks.corruption --rounds 500 [--codecs avif,webp]
    python -m benchmarks.corruption --rounds 500 --sealed --codecs checkerboard,checkerboard-perceptual,pyramid

Each codec decodes its damaged files in a process of its own with at most 4 GiB of address space beyond what it
has when it begins, so that a crash or a runaway is seen and named. Bytes are overwritten, cut out, inserted or torn
off. Learned codecs find any damage by a checksum; with --sealed it is made right again after the damage, and their
identity of the weights is kept, so that what is behind it is met. Printed: how many gave pixels, how many an error,
the slowest decode, the peak of memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from codecs_zoo import registry
from codecs_zoo.contract import CodecError
from codecs_zoo.learned._file import CRC_BYTES, sealed
from tests.kit.pictures import make_picture, middle

MEMORY = 4 << 30
WEIGHTS_BYTES = 4
"""Of their identity, after the checksum of a learned codec's file."""
SECONDS = 1800


def damage(intact: bytes, rng: np.random.Generator) -> bytes:
    """One of four kinds of damage, at random places."""
    damaged = bytearray(intact)
    kind = rng.integers(4)
    at = int(rng.integers(len(damaged)))
    length = int(rng.integers(1, 9))
    if kind == 0:
        for position in rng.integers(0, len(damaged), size=length):
            damaged[position] = rng.integers(256)
    elif kind == 1:
        del damaged[at : at + length]
    elif kind == 2:
        damaged[at:at] = rng.bytes(length)
    else:
        del damaged[at:]
    return bytes(damaged)


def damage_sealed(intact: bytes, rng: np.random.Generator) -> bytes:
    """A file of a learned codec that is damaged behind its checksum and the identity of its weights."""
    kept = CRC_BYTES + WEIGHTS_BYTES
    return sealed(intact[CRC_BYTES:kept] + damage(intact[kept:], rng))


def decode_damaged(name: str, rounds: int, seal: bool) -> dict[str, float]:
    """What became of `rounds` damaged files of one codec. Limits the memory of this process."""
    codec = registry.get(name)
    intact = [codec.encode(make_picture(*shape), **middle(codec)) for shape in ((48, 40), (130, 200))]
    codec.decode(intact[0])
    own = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (own + MEMORY, own + MEMORY))
    rng = np.random.default_rng(20020)
    counts, slowest = {"pixels": 0, "errors": 0}, 0.0
    for n in range(rounds):
        damaged = (damage_sealed if seal else damage)(intact[n % 2], rng)
        started = time.perf_counter()
        try:
            codec.decode(damaged)
            counts["pixels"] += 1
        except CodecError:
            counts["errors"] += 1
        slowest = max(slowest, time.perf_counter() - started)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {**counts, "slowest": slowest, "peak_mib": peak / 1024}


def in_its_own_process(name: str, rounds: int, seal: bool) -> str:
    """The codec's line of the table, also where its process crashed or hung."""
    command = [sys.executable, "-m", "benchmarks.corruption", "--child", name, "--rounds", str(rounds)]
    command += ["--sealed"] if seal else []
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"{name:<24} HANGS: not done in {SECONDS} s"
    if done.returncode:
        words = done.stderr.strip().splitlines()[-1:] or ["no words"]
        return f"{name:<24} CRASHES: exit {done.returncode}, {words[0]}"
    measured = json.loads(done.stdout.splitlines()[-1])
    return (
        f"{name:<24}{measured['pixels']:>8}{measured['errors']:>8}"
        f"{measured['slowest']:>10.2f} s{measured['peak_mib']:>10.0f} MiB"
    )


def main() -> None:
    """Prints the table, a line as soon as it is there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--codecs", help="names; all that run here without it")
    parser.add_argument("--sealed", action="store_true", help="learned codecs: behind the checksum")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(decode_damaged(options.child, options.rounds, options.sealed)))
        return
    available = [
        codec.name
        for codec in registry.codecs()
        if codec.availability().available and (codec.kind == "learned" or not options.sealed)
    ]
    print(
        f"{options.rounds} damaged files each\n{'codec':<24}{'pixels':>8}{'errors':>8}{'slowest':>12}{'peak':>14}"
    )
    for name in options.codecs.split(",") if options.codecs else available:
        print(in_its_own_process(name, options.rounds, options.sealed), flush=True)


if __name__ == "__main__":
    main()
