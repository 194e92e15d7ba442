"""A language model goes on with a text: it is asked for the next token, one is drawn, and it is asked again."""

from __future__ import annotations

import numpy as np

from nndesigner.data.dataset import DataError
from nndesigner.data.encoding import Preparation
from nndesigner.data.text_folder import token_of
from nndesigner.exchange.prediction import Predictor

#: most tokens for one call of the command line and one press of the button
MOST_TOKENS = 100_000
#: letters of a word at the most, as far as the length of the text to look at is concerned
LETTERS = 40


def goes_on(preparation: Preparation) -> bool:
    """Whether the data are stretches of a text with the token that follows, so that a network can write."""
    inputs, targets = preparation.inputs, preparation.targets
    return (len(inputs) == len(targets) == 1 and inputs[0].kind == "text" and inputs[0].layout.keep == "end"
            and targets[0].kind == "category")


def go_on(predictor: Predictor, text: str, count: int, temperature: float, seed: int, done: int = 0) -> str:
    """What the network writes behind `text`: `count` tokens, drawn from its probabilities p as p^(1/temperature).

    Temperature 0 takes the most probable token. The same text, temperature and seed give the same tokens; `done` of
    them were drawn by earlier calls. Raises DataError for a network that is no language model, and when it has no
    finite answer.
    """
    if not goes_on(predictor.preparation):
        raise DataError("This network does not continue texts: it must be trained on a plain text, to predict the next "
                        "token.")
    column = predictor.inputs[0]
    words, length = column.layout.tokens == "word", column.shape[0]
    reach = length * LETTERS if words else length
    written = ""
    for i in range(count):
        seen = (text[-reach:] + written)[-reach:]
        found = predictor.predict({column.column: np.array([seen], dtype=object)})
        if found.predicted[0] < 0:
            raise DataError("The network gives no finite answer: train it again with a lower learning rate.")
        place = _drawn(found.probabilities[0], temperature, np.random.default_rng((seed, done + i)))
        token = token_of(found.classes[place])
        if words and (text + written) and token[0].isalnum() and not (text + written)[-1].isspace():
            token = f" {token}"
        written += token
    return written


def _drawn(probabilities: np.ndarray, temperature: float, rng: np.random.Generator) -> int:
    """Number of the class that is drawn."""
    if temperature == 0:
        return int(probabilities.argmax())
    logs = np.log(np.maximum(probabilities.astype(np.float64), 1e-300)) / temperature
    shares = np.exp(logs - logs.max())
    return int(np.searchsorted(np.cumsum(shares), rng.random() * shares.sum(), side="right").clip(0, len(shares) - 1))
