"""nndesigner: draw a neural network, feed it real data, watch it learn, take it away."""

__version__ = "0.1.0"
