"""Samples of training changed anew in each epoch. Importing the package registers every step, in the order of forms."""

from nndesigner.data.augment import pictures, sounds, texts, figures, mixing  # isort: skip
from nndesigner.data.augment.apply import Augmenter, ChangedRows, ChangedSounds, changed_rows
from nndesigner.data.augment.mixing import Mixer, Mixing, SoftLabels, mixer_of
from nndesigner.data.augment.step import About, Augmentation, kinds_of, misfit

__all__ = [
    "About", "Augmentation", "Augmenter", "ChangedRows", "ChangedSounds", "Mixer", "Mixing", "SoftLabels",
    "changed_rows", "figures", "kinds_of", "misfit", "mixer_of", "mixing", "pictures", "sounds", "texts",
]
