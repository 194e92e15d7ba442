"""Puts a block of layers behind the chosen one."""

from __future__ import annotations

from nndesigner.graph.blocks import BLOCKS, Block, insert_block
from nndesigner.graph.edit import EditError
from nndesigner.graph.model import Graph
from nndesigner.ui.canvas.view import CanvasView


def add_kind(view: CanvasView, kind: str) -> None:
    """What the palette names: a block behind the chosen layer, or a layer where the canvas finds it best."""
    if kind in BLOCKS:
        add_block(view, BLOCKS[kind])
    else:
        view.add_layer(kind)


def add_block(view: CanvasView, block: Block) -> tuple[str, ...]:
    """One undo step; the new layers are then selected. Returns them, none when refused."""
    document = view.document
    made: tuple[str, ...] = ()

    def change(graph: Graph) -> Graph:
        nonlocal made
        chosen = document.selection
        shape = document.checked.shapes.get(chosen[0]) if len(chosen) == 1 else None
        if shape is None:
            raise EditError(f"Choose the layer that {block.title} is to follow: its shape must be known.")
        graph, made = insert_block(graph, block, chosen[0], shape)
        return graph

    if not document.edit_graph(f"Add {block.title}", change):
        return ()
    view.board.select_edges(())
    document.select(made)
    view.reveal_nodes(list(made))
    return made
