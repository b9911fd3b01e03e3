"""The markdown tables of a profile as parts of the report: what a reader of the files reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from markupsafe import Markup

from benchmark.reporting.report.html_table import Cell, HtmlTable, with_orders

__all__ = ["Block", "Linker", "linked", "read_markdown"]

_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True)
class Block:
    """A heading, some text or a table.

    Attributes:
        heading: of what follows; empty for text and tables.
        text: markup; empty for headings and tables.
        table: none for headings and text.
    """

    heading: str = ""
    text: str = ""
    table: HtmlTable | None = None


# (number of the table, number of its row, its cells) -> the cells with their links
Linker = Callable[[int, int, tuple[Cell, ...]], tuple[Cell, ...]]


def read_markdown(text: str) -> list[Block]:
    """Return what a markdown file consists of, without the heading that it begins with."""
    blocks = [_block(node) for node in SyntaxTreeNode(_PARSER.parse(text)).children]
    return blocks[1:] if blocks and blocks[0].heading else blocks


def linked(blocks: Sequence[Block], link: Linker) -> list[Block]:
    """Return the blocks with links in their tables, which are numbered from 0."""
    tables = [block.table for block in blocks if block.table]
    done = iter(
        [
            replace(table, rows=tuple(link(number, i, row) for i, row in enumerate(table.rows)))
            for number, table in enumerate(tables)
        ]
    )
    return [replace(block, table=next(done)) if block.table else block for block in blocks]


def _block(node: SyntaxTreeNode) -> Block:
    if node.type == "heading":
        return Block(heading=node.children[0].content)
    if node.type == "table":
        return Block(table=with_orders(_table(node)))
    return Block(text=_markup(node))


def _table(node: SyntaxTreeNode) -> HtmlTable:
    lines = [line for part in node.children for line in part.children]
    heads, *rows = ([cell.children[0] for cell in line.children] for line in lines)
    return HtmlTable(
        tuple(head.content for head in heads),
        tuple(tuple(Cell(_markup(cell)) for cell in row) for row in rows),
    )


def _markup(node: SyntaxTreeNode) -> Markup:
    return Markup(_PARSER.renderer.render(node.to_tokens(), _PARSER.options, {}))
