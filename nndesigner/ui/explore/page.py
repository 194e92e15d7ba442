"""The place of the data's page in the window; the page itself is made when it is first wanted."""

from __future__ import annotations

from collections.abc import Callable

from nndesigner.ui.docks import Later
from nndesigner.ui.document import Document
from nndesigner.ui.runner import Runner


class ExplorePage(Later):
    """Makes an ExploreView; `back` leads from it to the network."""

    def __init__(self, document: Document, runner: Runner, back: Callable[[], object]) -> None:
        def made(make: type) -> object:
            view = make(document, runner)
            view.back_wanted.connect(back)
            return view

        super().__init__("nndesigner.ui.explore.view", "ExploreView", made, lambda: True)

    def end(self) -> None:
        """End its work, if it was ever made."""
        if self.made is not None:
            self.made.end()
