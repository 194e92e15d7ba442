"""Text as a network meets it: cut into tokens, numbered by a vocabulary, brought to one length.

Byte-pair encoding: R. Sennrich, B. Haddow, A. Birch, Neural Machine Translation of Rare Words with Subword Units, 2016,
arXiv:1508.07909, on characters. Only the vocabulary is kept: its order is the order of the merges.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from nndesigner.data.dataset import DataError

Tokens = Literal["word", "character", "byte_pair"]

#: token 0 fills short texts up, token 1 stands for what training has not seen
PADDING, UNKNOWN = "<pad>", "<unk>"
SPECIAL = (PADDING, UNKNOWN)
#: a word must be met so often in the training part to get a number; rarer ones teach what an unknown word is
FEWEST = 2
#: longest text that is chosen by itself; share of the training texts that then fit in whole
MAX_AUTO_LENGTH, WHOLE = 256, 0.95
#: letters of a text that are read; a longer one is cut there
MAX_LETTERS = 1 << 20
MAX_LENGTH = 4096

WORDS = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
#: words with the space before them, so that joining the pieces gives the text again
_PIECES = re.compile(r" ?\w+| ?[^\w\s]+|\s+")


@dataclass(frozen=True)
class TextForm:
    """How texts become numbers. `vocabulary` is the largest number of tokens, padding and unknown included.

    `length` 0 is chosen from the training part. `keep` tells which end of a longer text is kept. Raises ValueError for
    what cannot be.
    """

    tokens: Tokens = "word"
    vocabulary: int = 5000
    length: int = 0
    lower: bool = True
    keep: Literal["start", "end"] = "start"

    def __post_init__(self) -> None:
        if self.tokens not in ("word", "character", "byte_pair") or self.keep not in ("start", "end"):
            raise ValueError("the form of the texts is unknown")
        if not 3 <= self.vocabulary <= 1_000_000 or not 0 <= self.length <= MAX_LENGTH:
            raise ValueError("the form of the texts has a size that cannot be used")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TextForm:
        """Raises KeyError, TypeError and ValueError for anything that `to_json` did not write."""
        return cls(value["tokens"], int(value["vocabulary"]), int(value["length"]), bool(value["lower"]), value["keep"])


class Tokenizer:
    """Texts to token numbers by a fitted vocabulary. The same text always gives the same numbers."""

    def __init__(self, form: TextForm, vocabulary: Sequence[str]) -> None:
        self.form = form
        self.vocabulary = tuple(vocabulary)
        self._numbers = {token: i for i, token in enumerate(self.vocabulary)}
        for special in SPECIAL:  # what a text happens to hold is never taken for a special token
            self._numbers.pop(special, None)
        self._known: dict[str, tuple[str, ...]] = {}

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text, known or not."""
        if self.form.tokens != "byte_pair":
            return cut(text, self.form)
        return [token for piece in cut(text, self.form) for token in self._merged(piece)]

    def numbers(self, text: str) -> list[int]:
        """The token numbers of a text, 1 for unknown ones."""
        return [self._numbers.get(token, 1) for token in self.tokens(text)]

    def encode(self, texts: Iterable[str | None], length: int) -> np.ndarray:
        """int64 [n, length]: the ends of short texts are padded, as the masks of layers expect."""
        texts = list(texts)
        encoded = np.zeros((len(texts), length), dtype=np.int64)
        for row, text in enumerate(texts):
            found = self.numbers(text_of_sample(text))
            found = found[:length] if self.form.keep == "start" else found[-length:]
            encoded[row, :len(found)] = found
        return encoded

    def decode(self, numbers: Iterable[int]) -> str:
        """Text of token numbers without padding; unknown tokens show as □."""
        tokens = ["□" if n == 1 else self.vocabulary[n] for n in map(int, numbers) if n != 0]
        return (" " if self.form.tokens == "word" else "").join(tokens)

    def _merged(self, piece: str) -> tuple[str, ...]:
        """A piece with pairs joined, the pair whose union comes first in the vocabulary first."""
        if piece not in self._known:
            parts = list(piece)
            while len(parts) > 1:
                ranks = [self._numbers.get(a + b) for a, b in zip(parts, parts[1:])]
                best = min((rank for rank in ranks if rank is not None), default=None)
                if best is None:
                    break
                parts = _joined(parts, self.vocabulary[best])
            self._known[piece] = tuple(parts)
        return self._known[piece]


def text_of_sample(value: Any) -> str:
    """The text of a raw value; missing is empty."""
    return "" if value is None or (isinstance(value, float) and value != value) else str(value)


def cut(text: str, form: TextForm) -> list[str]:
    """Words and signs, characters, or for byte pairs the pieces within which pairs are joined."""
    text = text[:MAX_LETTERS]
    text = text.lower() if form.lower else text
    if form.tokens == "character":
        return list(text)
    return (WORDS if form.tokens == "word" else _PIECES).findall(text)


def fitted_tokenizer(texts: Sequence[str | None], form: TextForm) -> Tokenizer:
    """The vocabulary of these texts (the training part): the most frequent tokens first, equal ones by the alphabet.

    Raises DataError when they hold no token.
    """
    counts = Counter(token for text in texts for token in cut(text_of_sample(text), form))
    if not counts:
        raise DataError("The texts of the training part are empty. Choose another text column.")
    if form.tokens == "byte_pair":
        return Tokenizer(form, (*SPECIAL, *_byte_pairs(counts, form.vocabulary - len(SPECIAL))))
    if form.tokens == "word" and max(counts.values()) >= FEWEST:
        counts = Counter({token: n for token, n in counts.items() if n >= FEWEST})
    return Tokenizer(form, (*SPECIAL, *_most_frequent(counts, form.vocabulary - len(SPECIAL))))


def chosen_length(tokenizer: Tokenizer, texts: Sequence[str | None]) -> int:
    """The length that the form says, else one that takes in nearly all of these texts (the training part) whole."""
    if tokenizer.form.length:
        return tokenizer.form.length
    lengths = np.sort([len(tokenizer.tokens(text_of_sample(text))) for text in texts])
    return max(1, min(MAX_AUTO_LENGTH, int(lengths[int(WHOLE * (len(lengths) - 1))])))


def _most_frequent(counts: Counter[str], most: int) -> list[str]:
    return sorted(counts, key=lambda token: (-counts[token], token))[:most]


def _byte_pairs(pieces: Counter[str], most: int) -> list[str]:
    """Characters, then the unions of the most frequent pairs in the order in which they are joined."""
    letters: Counter[str] = Counter()
    for piece, n in pieces.items():
        for letter in piece:
            letters[letter] += n
    found = _most_frequent(letters, most)
    words = [(list(piece), n) for piece, n in sorted(pieces.items())]
    pairs: Counter[tuple[str, str]] = Counter()
    places: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for i, (parts, n) in enumerate(words):
        for pair in zip(parts, parts[1:]):
            pairs[pair] += n
            places[pair].add(i)
    known = set(found)
    while len(found) < most and pairs:
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        if pairs[best] < FEWEST:
            break
        union = best[0] + best[1]
        if union not in known:
            known.add(union)
            found.append(union)
        for i in sorted(places.pop(best)):
            parts, n = words[i]
            for pair in zip(parts, parts[1:]):
                pairs[pair] -= n
                if pairs[pair] <= 0:
                    del pairs[pair]
            words[i] = _joined(parts, union), n
            for pair in zip(words[i][0], words[i][0][1:]):
                pairs[pair] += n
                places[pair].add(i)
    return found


def _joined(parts: list[str], union: str) -> list[str]:
    """Parts with every neighbouring pair that gives `union` joined, from the left."""
    joined: list[str] = []
    i = 0
    while i < len(parts):
        if i + 1 < len(parts) and parts[i] + parts[i + 1] == union:
            joined.append(union)
            i += 2
        else:
            joined.append(parts[i])
            i += 1
    return joined
