"""`python -m benchmark cost NETWORK`: our count beside those of the tools that papers quote.

Whoever doubts a number of the tables sees here which tool gives it and which ops it misses or
adds. Each tool runs the real network, with random weights, once.
"""

from __future__ import annotations

import argparse
import re
import warnings
from collections.abc import Iterator, Mapping

from benchmark.errors import BenchmarkError

__all__ = ["add_arguments", "comparison", "run"]

_ROWS = {
    "convolutions": re.compile("conv", re.IGNORECASE),
    "matrix products, attention, recurrent": re.compile(
        r"linear|mm$|matmul|einsum|dot|\bmv$|attention|lstm|gru|rnn", re.IGNORECASE
    ),
    "outside our rule": re.compile(""),
}
_OURS = "ours"

OpMacs = Mapping[str, int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to `parser`."""
    parser.add_argument("network", help="name in torchvision, timm, or x3d_xs to x3d_l")
    parser.add_argument(
        "--input",
        default="3x224x224",
        metavar="SIZE",
        help="of one input: 3x224x224, or 3x13x160x160 for a clip (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Print the comparison that `args` asks for and return the exit code 0.

    Raises:
        BenchmarkError: on a name that nobody knows, or an input size that cannot be read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        counts = _counts(args.network, args.input)
    print(f"{args.network} at {args.input}, batch 1")
    print(comparison(counts))
    return 0


def _counts(name: str, size_text: str) -> Mapping[str, OpMacs]:
    # Imported here: the networks and counters take seconds, and no other command needs them.
    from benchmark.cost.cross_check.other_counters import count_with_all  # noqa: PLC0415
    from benchmark.cost.networks import build_network, parse_size  # noqa: PLC0415

    size = parse_size(size_text)
    network = build_network(name, size)
    try:
        return count_with_all(network, size)
    except (RuntimeError, AssertionError) as error:
        raise BenchmarkError(
            f"{name} does not take an input of {size_text}: {str(error).splitlines()[0]}",
            where="--input",
            fix="give channels x height x width for images, with the frames before the height "
            "for clips",
        ) from error


def comparison(counts: Mapping[str, OpMacs]) -> str:
    """Return a table of the counters' sums and the ops in which each differs from ours.

    Args:
        counts: counter -> op -> MACs, one of the counters being 'ours'.
    """
    by_row = {name: {row: _of_row(ops, row) for row in _ROWS} for name, ops in counts.items()}
    width = max(len(row) for row in _ROWS)
    heads = [name.rjust(max(len(name), 10)) for name in counts]
    lines = ["  ".join(["GMAC (1 GFLOP = 1e9 MACs)".ljust(width), *heads])]
    for row in _ROWS:
        sums = {name: sum(rows[row].values()) for name, rows in by_row.items()}
        lines.append(_line(row.ljust(width), sums))
    lines.append(_line("total".ljust(width), {n: sum(ops.values()) for n, ops in counts.items()}))
    lines += ["", "Where they differ from ours:"]
    lines += list(_differences(by_row)) or ["  nowhere"]
    return "\n".join(lines)


def _of_row(ops: OpMacs, row: str) -> OpMacs:
    return {
        op: macs
        for op, macs in ops.items()
        if row == next(name for name, pattern in _ROWS.items() if pattern.search(op))
    }


def _line(title: str, macs: OpMacs) -> str:
    return "  ".join([title, *(_gmac(n).rjust(max(len(name), 10)) for name, n in macs.items())])


def _differences(by_row: Mapping[str, Mapping[str, OpMacs]]) -> Iterator[str]:
    for name, rows in by_row.items():
        for row, theirs in rows.items():
            ours = by_row[_OURS][row]
            difference = sum(theirs.values()) - sum(ours.values())
            if difference:
                sides = [f"{name}: {_named(theirs)}", f"{_OURS}: {_named(ours)}"]
                yield f"  {name}, {row}: {difference / 1e9:+.6f}   ({'; '.join(sides)})"


def _named(ops: OpMacs) -> str:
    return ", ".join(f"{op} {_gmac(macs)}" for op, macs in ops.items()) or "nothing"


def _gmac(macs: int) -> str:
    return f"{macs / 1e9:.6f}"
