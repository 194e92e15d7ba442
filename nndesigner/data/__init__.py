"""From files and formulas to arrays that a network can learn from. Knows no network, no device and no window.

Importing the package registers every source.
"""

from nndesigner.data import (
    cifar_file,
    csv_file,
    generated,
    generated_sound,
    generated_text,
    hdf5_file,
    idx_file,
    image_folder,
    mask_folder,
    network,
    npz_file,
    picture_stack,
    proverbs,
    samples,
    series,
    shape_masks,
    shapes,
    sound_folder,
    table_file,
    text_folder,
)
from nndesigner.data.source import Cancelled, Source, source_for

__all__ = [
    "Cancelled", "Source", "cifar_file", "csv_file", "generated", "generated_sound", "generated_text", "hdf5_file",
    "idx_file", "image_folder", "mask_folder", "network", "npz_file", "picture_stack", "proverbs", "samples", "series",
    "shape_masks", "shapes", "sound_folder", "source_for", "table_file", "text_folder",
]
