"""Sentences made by a small grammar: text to try networks on without any file."""

from __future__ import annotations

from typing import Literal

import numpy as np

from nndesigner.data.dataset import Column, Dataset
from nndesigner.data.source import Progress, Source
from nndesigner.data.text_folder import Texts, next_token_data
from nndesigner.spec import param

#: topic -> things that sentences of it are about
THINGS = {
    "food": ("soup", "bread", "cake", "dinner", "salad", "coffee", "pancakes", "curry", "breakfast", "cheese"),
    "travel": ("train ride", "hotel", "flight", "beach", "old town", "museum", "boat trip", "airport", "guide", "map"),
    "music": ("concert", "song", "singer", "melody", "drummer", "album", "choir", "guitar", "orchestra", "chorus"),
    "sport": ("match", "goalkeeper", "race", "team", "final", "coach", "stadium", "runner", "penalty", "training"),
    "school": ("lesson", "teacher", "exam", "homework", "lecture", "textbook", "classroom", "essay", "library", "quiz"),
}
#: topic -> words about who or where, so that a topic has more signs than its thing
PLACES = {
    "food": ("at the kitchen table", "in the small restaurant", "with fresh herbs", "from the bakery", "for lunch"),
    "travel": ("on the island", "near the harbour", "after the long journey", "with our suitcases", "abroad"),
    "music": ("on stage", "with loud drums", "in the concert hall", "on the radio", "at the festival"),
    "sport": ("in the second half", "on the pitch", "before the fans", "in the last minute", "at the tournament"),
    "school": ("in the first term", "on the blackboard", "before the holidays", "in the science room", "at college"),
}
GOOD = ("wonderful", "great", "lovely", "excellent", "brilliant", "delightful", "perfect", "superb", "charming", "fine")
BAD = ("awful", "terrible", "boring", "horrible", "poor", "dreadful", "disappointing", "annoying", "dull", "bad")
PLAIN = ("long", "short", "new", "usual", "quiet", "small", "large", "old", "early", "late")
WHEN = ("today", "yesterday", "last week", "this morning", "on Friday", "in May", "last summer", "again")
WHO = ("I", "we", "my sister", "our neighbour", "the children", "everybody", "my friend", "the whole family")
DEGREE = ("really", "quite", "very", "rather", "truly", "simply")
#: with a feeling, and without one
FEELS = {"happy": ("liked", "enjoyed", "loved", "praised"), "unhappy": ("disliked", "hated", "regretted", "criticised"),
         "neutral": ("noticed", "remembered", "mentioned", "saw")}


class Sentences(Texts):
    """Short English sentences about five topics in three moods, made by a grammar.

    No person wrote them: rules put words of a list together by chance, every sentence once. Moods need more than single
    words: "not bad at all" is happy, "not great at all" is unhappy. Easier than real text.
    """

    kind = "sentences.v1"
    title = "Sentences"
    group = "Built in"
    icon = "mdi6.format-quote-close"
    keywords = ("text", "words", "language", "mood", "sentiment", "topic", "classification", "grammar", "synthetic")

    samples: int = param(3000, "Samples", "How many sentences. More: more reliable learning, but slower.", ge=50,
                         le=20_000, step=500)
    label: Literal["mood", "topic"] = param(
        "mood", "Class", "What is to be told: the mood of a sentence, or what it is about.")
    seed: int = param(
        7, "Seed of the data", "The same seed gives the same sentences.", ge=0, le=2**31 - 1, advanced=True)

    def load(self, progress: Progress) -> Dataset:
        progress(None, "Making sentences")
        rng = np.random.default_rng(self.seed)
        moods, topics = tuple(FEELS), tuple(THINGS)
        found: dict[str, str] = {}
        while len(found) < self.samples:
            mood, topic = moods[len(found) % len(moods)], topics[int(rng.integers(len(topics)))]
            found.setdefault(_sentence(mood, topic, rng), mood if self.label == "mood" else topic)
        names = moods if self.label == "mood" else topics
        texts = np.array(list(found), dtype=object)
        return Dataset(self.title, "texts", (
            Column("text", "text", "input", texts, layout=self.text_form()),
            Column(self.label, "category", "target", np.array(list(found.values()), dtype=object), names),
        ))


class RunningText(Source):
    """Sentences one after the other: which letter comes next?

    The grammar of Sentences makes the text, so a small language model soon writes whole sentences like it.
    """

    kind = "running_text.v1"
    title = "Running text"
    group = "Built in"
    icon = "mdi6.typewriter"
    keywords = ("language model", "gpt", "generate", "write", "character", "letter", "next", "grammar", "synthetic")
    form = "texts"

    sentences: int = param(300, "Sentences", "How long the text is. More: better sentences, but slower.", ge=50,
                           le=5_000, step=50)
    length: int = param(24, "Context", "Letters that the network sees before the one it predicts. Longer: more to go "
                        "by, slower training.", ge=1, le=256)
    seed: int = param(
        7, "Seed of the data", "The same seed gives the same text.", ge=0, le=2**31 - 1, advanced=True)

    def load(self, progress: Progress) -> Dataset:
        progress(None, "Making sentences")
        rng = np.random.default_rng(self.seed)
        moods, topics = tuple(FEELS), tuple(THINGS)
        said = (_sentence(moods[i % len(moods)], topics[int(rng.integers(len(topics)))], rng)
                for i in range(self.sentences))
        text = " ".join(said)
        return next_token_data(self.title, text, "character", self.length, len(text), lower=True)


def _sentence(mood: str, topic: str, rng: np.random.Generator) -> str:
    """One sentence by chance."""
    def one(words: tuple[str, ...]) -> str:
        return words[int(rng.integers(len(words)))]

    thing, place, when = one(THINGS[topic]), one(PLACES[topic]), one(WHEN)
    verb = "were" if thing == "pancakes" else "was"
    own, other = (GOOD, BAD) if mood == "happy" else (BAD, GOOD)
    if mood == "neutral":
        said = one((f"the {thing} {place} {verb} {one(PLAIN)}",
                    f"the {thing} {place} {verb} neither {one(GOOD)} nor {one(BAD)}",
                    f"{one(WHO)} {one(FEELS[mood])} the {thing} {place}"))
    else:
        said = one((f"the {thing} {place} {verb} {one(DEGREE)} {one(own)}",
                    f"the {thing} {place} {verb} not {one(other)} at all",
                    f"{one(WHO)} {one(FEELS[mood])} the {one(PLAIN)} {thing} {place}",
                    f"{one(WHO)} expected something {one(other)}, but the {thing} {verb} {one(own)}"))
    said = f"{said} {when}" if rng.random() < 0.5 else f"{when}, {said}"
    return said[0].upper() + said[1:] + one((".", ".", "!"))
