"""`python -m benchmark new-method NAME`: writes a method's folder and says what is next."""

from __future__ import annotations

import argparse
import keyword
import re
from collections.abc import Sequence
from pathlib import Path

from benchmark.errors import BenchmarkError
from benchmark.files.repository import PACKAGE, REPOSITORY
from benchmark.files.writing import write_text

__all__ = ["add_arguments", "run", "write_folder"]

_TEMPLATE = PACKAGE / "methods" / "template"
_METHODS = REPOSITORY / "methods"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("name", metavar="NAME", help="lower case, digits and underscores")
    parser.add_argument(
        "--folder", type=Path, default=_METHODS, help="where its folder goes; default: methods"
    )


def run(args: argparse.Namespace) -> int:
    """Write the folder and print the next three commands."""
    folder = write_folder(args.name, args.folder)
    for path in sorted(folder.iterdir()):
        print(path)
    outside = args.folder.resolve() != _METHODS.resolve()
    check = f" --methods-path {args.folder}" if outside else ""
    config = f" methods_path={args.folder}" if outside else ""
    print(
        "\nIt runs as it is. Next: check it, run the small profile with its row, show a table.\n\n"
        f"    python -m benchmark check {args.name}{check}\n"
        f"    snakemake --cores 2 --config profile=smoke{config} -- all_tables\n"
        "    python -m benchmark show table1 --profile smoke\n\n"
        "Then edit what is marked EDIT, and run the same three again."
    )
    return 0


def write_folder(name: str, root: Path) -> Path:
    """Write the folder of a new method, under its own name.

    Args:
        name: of the method.
        root: folder of methods.

    Returns:
        the method's folder.

    Raises:
        BenchmarkError: for a name that Python cannot import, or that is taken.
    """
    _check_name(name, [_METHODS, root])
    label = name.replace("_", " ").capitalize()
    for path in sorted(_TEMPLATE.iterdir()):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            text = text.replace("my_method", name).replace("My method", label)
            write_text(root / name / path.name, text)
    return root / name


def _check_name(name: str, roots: Sequence[Path]) -> None:
    """Raise if a name is no lower-case identifier, or is another method's."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        words = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        nearest = words if words[:1].isalpha() and not keyword.iskeyword(words) else f"my_{words}"
        raise BenchmarkError(
            f"'{name}' cannot be a method's name: lower-case letters, digits and underscores "
            "after a letter, and no word of Python",
            fix=f"for example {nearest}",
        )
    for root in roots:
        if (root / name).exists():
            raise BenchmarkError(
                f"the name '{name}' is taken",
                where=root / name,
                fix=f"choose another one, for example {name}_2, or edit that folder",
            )
