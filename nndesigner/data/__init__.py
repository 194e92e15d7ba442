"""From files and formulas to arrays that a network can learn from. Knows no network, no device and no window.

Importing the package registers every source.
"""

from nndesigner.data import generated, samples
from nndesigner.data.source import Cancelled, Source

__all__ = ["Cancelled", "Source", "generated", "samples"]
