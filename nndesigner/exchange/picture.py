"""A picture file as a raw value that a trained network can be asked about."""

from nndesigner.data.pictures import SUFFIXES, load_picture, read_picture, wants_inversion

__all__ = ["SUFFIXES", "load_picture", "read_picture", "wants_inversion"]
