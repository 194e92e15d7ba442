"""Which samples a page shows."""

from __future__ import annotations

import numpy as np

from nndesigner.ui.views.questions import by_turns


def test_classes_come_by_turns_each_in_the_order_of_the_part():
    classes = np.array([5, 5, 6, 5, 1, 5, 6])
    places = by_turns(classes)
    assert classes[places].tolist() == [1, 5, 6, 5, 6, 5, 5]
    assert places.tolist() == [4, 0, 2, 1, 6, 3, 5]
    assert by_turns(np.array([], dtype=np.int64)).size == 0
