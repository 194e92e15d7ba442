"""A block from the palette comes behind the chosen layer, as one step that can be undone."""

from nndesigner.data.preparing import DataSettings
from nndesigner.data.samples import Digits
from nndesigner.graph import templates
from nndesigner.graph.blocks import BLOCKS
from nndesigner.project.design import Design
from nndesigner.training.settings import TrainSettings
from nndesigner.ui.canvas.blocks import add_block
from nndesigner.ui.canvas.view import CanvasView
from nndesigner.ui.document import Document
from nndesigner.ui.palette import KIND, Palette
from nndesigner.ui.runner import Runner


def test_a_block_follows_the_chosen_layer(qtbot):
    document = Document()
    runner = Runner(document)
    view = CanvasView(document, runner)
    qtbot.addWidget(view)
    document.open(Design(templates.digits_convolution(), DataSettings(source=Digits()), TrainSettings()))
    assert document.wait_for_data()
    before = document.graph
    refused = []
    document.edit_failed.connect(refused.append)
    assert add_block(view, BLOCKS["block:residual"]) == () and "Choose the layer" in refused[-1]
    convolution = next(n.id for n in before.nodes if n.layer.kind == "conv2d.v1")
    document.select([convolution])
    made = add_block(view, BLOCKS["block:residual"])
    assert len(made) == 7 and document.selection == made
    assert not [p for p in document.checked.problems if p.severity == "error"]
    document.undo_stack.undo()
    assert document.graph == before
    document.select([convolution])
    assert add_block(view, BLOCKS["block:transformer_encoder"]) == () and "needs T × F" in refused[-1]
    runner.close()
    document.close()


def test_the_palette_offers_blocks(qtbot):
    palette = Palette()
    qtbot.addWidget(palette)
    wanted = []
    palette.add_wanted.connect(wanted.append)
    palette.search.setText("residual block")
    palette._activated(palette.tree.currentItem())
    assert wanted == ["block:residual"]
    assert {i.data(0, KIND) for i in palette._items()} >= set(BLOCKS)
