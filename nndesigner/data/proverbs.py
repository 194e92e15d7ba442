"""Real sentences that nobody owns: proverbs of five languages."""

from __future__ import annotations

import numpy as np

from nndesigner.data.dataset import Column, Dataset
from nndesigner.data.source import Progress
from nndesigner.data.text import Tokens
from nndesigner.data.text_folder import Texts
from nndesigner.resources import resource
from nndesigner.spec import param


class Proverbs(Texts):
    """372 proverbs in English, French, German, Italian and Spanish: which language is it?

    Real sentences, handed down and written by nobody, so they are in the public domain. Read letter by letter: most
    words are met only once, but every language has endings and accents of its own.
    """

    kind = "proverbs.v1"
    title = "Proverbs"
    group = "Built in"
    icon = "mdi6.translate"
    keywords = ("text", "sentences", "language", "letters", "characters", "classification", "public domain", "real")

    tokens: Tokens = param(
        "character", "Tokens", "What a text is cut into. Letters tell languages apart; most words are met only once.",
        labels={"word": "words", "character": "characters", "byte_pair": "byte pairs"})

    def load(self, progress: Progress) -> Dataset:
        progress(None, "Reading proverbs")
        lines = resource("data/proverbs.tsv").read_text("utf-8").splitlines()
        rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
        texts, labels = (np.array(column, dtype=object) for column in zip(*((row[1], row[0]) for row in rows)))
        return Dataset(self.title, "texts", (
            Column("text", "text", "input", texts, layout=self.text_form()),
            Column("language", "category", "target", labels, tuple(dict.fromkeys(labels))),
        ))
