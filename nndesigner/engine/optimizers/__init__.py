"""Rules by which gradients change the weights. Formulas and defaults are PyTorch's where it has them."""

from nndesigner.engine.optimizers.adam import Adam, Adamax, AdamW, NAdam, RAdam
from nndesigner.engine.optimizers.base import Optimizer, OptimizerBind, Update
from nndesigner.engine.optimizers.layerwise import LAMB, Muon
from nndesigner.engine.optimizers.momentum import SGD, Lion, Momentum, Nesterov
from nndesigner.engine.optimizers.scaled import Adadelta, Adagrad, RMSprop

__all__ = [
    "LAMB", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Lion", "Momentum", "Muon", "NAdam", "Nesterov",
    "Optimizer", "OptimizerBind", "RAdam", "RMSprop", "Update",
]
