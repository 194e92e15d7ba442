"""The drawing surface: items follow the document, gestures edit it."""

from nndesigner.ui.canvas.outline import Outline
from nndesigner.ui.canvas.view import CanvasView

__all__ = ["CanvasView", "Outline"]
