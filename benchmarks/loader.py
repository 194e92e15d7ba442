"""How many samples a second are read for training, against what the engine needs and against PyTorch's DataLoader.

    python benchmarks/loader.py [--torch INTERPRETER] [--workers 2] [--rounds 3] [--seconds 2]

Both sides read the same files with as many workers, in turns; ratios are of rounds that follow each other. Pictures of
the JPEG folder are measured twice: decoded each time, and from the cache of decoded ones, as from the second epoch on.
Augmented pictures are measured against the engine alone.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import numpy as np
from _ours import build
from cpu import CIFAR, conv, dense, torch_python
from PIL import Image

from nndesigner.data import image_folder, mask_folder, picture_cache, preparing
from nndesigner.data.augment import Augmentation, Mixing
from nndesigner.data.augment import pictures as pictures_steps
from nndesigner.data.augment.mixing import CutMix, Mixup
from nndesigner.data.dataset import Column, Dataset
from nndesigner.data.image_folder import ImageFolder
from nndesigner.data.mask_folder import MaskFolder
from nndesigner.data.preparing import DataSettings, Prepared, augmented, prepare
from nndesigner.data.rows import EncodedRows
from nndesigner.data.samples import Digits
from nndesigner.data.shape_masks import ShapeMasks
from nndesigner.data.source import quiet
from nndesigner.engine.device import Device
from nndesigner.graph.check import check
from nndesigner.graph.templates import propose
from nndesigner.training.feeding import Feeder, Orders
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer

HERE = Path(__file__).parent
JPEGS = 600
POOL = ("pool", {})
#: batch of pictures with masks
MASKED = 8
#: networks that are usual for the size, to tell what the engine takes
ENGINES = {
    "digits": {"name": "digits", "batch": 64, "shape": [8, 8, 1], "classes": 10,
               "layers": [("flatten", {}), dense(64, "relu"), dense(10)]},
    "cifar": {"name": "cifar", "batch": 64, "shape": [32, 32, 3], "classes": 10, "layers": CIFAR},
    "jpeg": {"name": "jpeg", "batch": 32, "shape": [224, 224, 3], "classes": 10, "layers": [
        conv(16, 3, "relu"), POOL, conv(32, 3, "relu"), POOL, conv(64, 3, "relu"), POOL, POOL, ("flatten", {}),
        dense(10)]},
}


def ours(prepared: Prepared, batch: int, workers: int) -> Callable[[float], float]:
    """Samples per second of gathering or feeding shuffled batches."""
    fields = {f.name: prepared.train.arrays[f.name] for f in prepared.signature.fields
              if f.name == "image" or f.sample_dims}
    count = len(prepared.train)
    orders = Orders(0, count, batch)
    buffers = {name: np.empty((batch, *source.shape[1:]), dtype=source.dtype) for name, source in fields.items()}
    read = {name: source for name, source in fields.items() if isinstance(source, EncodedRows)}
    feeder = Feeder(read, orders, workers, mixer=prepared.mixer) if read else None
    place = [(0, 0)]

    def run(seconds: float) -> float:
        done, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            rows = orders.rows_at(place[0])
            given = feeder.take(place[0]) if feeder is not None else {}
            for name, source in fields.items():
                if name in given:
                    buffers[name][...] = given[name]
                else:
                    Device("cpu").gather(source, rows, buffers[name][:len(rows)])
            place[0] = orders.after(place[0])
            done += len(rows)
        return done / (time.perf_counter() - began)

    return run


def engine(case: str, seconds: float) -> float:
    """Samples per second of training on data in memory."""
    trainer = build(ENGINES[case]) if case in ENGINES else segmenting()
    batch = trainer.settings.batch_size
    trainer.step()
    began, steps = time.perf_counter(), 0
    while time.perf_counter() - began < seconds or not steps:
        trainer.step()
        steps += 1
    return steps * batch / (time.perf_counter() - began)


def segmenting() -> Trainer:
    """The network that is proposed for pictures of 224 × 224 with masks."""
    prepared = prepare(ShapeMasks(samples=16, size=224).load(quiet), DataSettings(validation=0.0, test=0.0))
    checked = check(propose(prepared.signature), prepared.signature)
    return Trainer(checked, prepared, TrainSettings(batch_size=MASKED), Device("cpu"))


def cases(folder: Path) -> Iterator[tuple[str, str, str | None, Callable[[], Prepared]]]:
    """(case, title, path for the other side or None without one, how we prepare it)."""
    everything = {"validation": 0.0, "test": 0.0}
    yield "digits", "digits 8x8, in memory", "", lambda: prepare(Digits().load(quiet), DataSettings(**everything))
    rng = np.random.default_rng(0)
    path = folder / "cifar.npy"
    np.save(path, rng.integers(0, 256, (20_000, 32, 32, 3), dtype=np.uint8))

    def mapped() -> Prepared:
        labels = np.array(["a", "b"], dtype=object)[np.arange(20_000) % 2]
        columns = (Column("image", "image", "input", np.load(path, mmap_mode="r"), limits=(0, 255)),
                   Column("class", "category", "target", labels))
        with mock.patch.object(preparing, "IN_MEMORY", 0):
            return prepare(Dataset("cifar", "images", columns), DataSettings(**everything))

    yield "cifar", "CIFAR size 32x32x3, mapped file", str(path), mapped
    usual = (pictures_steps.Flip(), pictures_steps.Shift())
    every = tuple(s() for s in Augmentation.all() if not issubclass(s, Mixing) and {"picture", "colour"} & {*s.suits})
    yield "cifar", "CIFAR size, flip and shift", None, lambda: augmented(mapped(), usual, 0)
    yield "cifar", "CIFAR size, all nine steps", None, lambda: augmented(mapped(), every, 0)
    yield "cifar", "CIFAR size, flip, shift, mixup and cutmix", None, lambda: augmented(
        mapped(), (*usual, Mixup(), CutMix()), 0)
    photos = folder / "photos"
    for i in range(JPEGS):
        place = photos / f"class {i % 10}" / f"{i}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8))
        coarse.resize((500, 375), Image.Resampling.BICUBIC).save(place, quality=90)

    def pictures() -> Prepared:
        with mock.patch.object(image_folder, "AT_ONCE", 0), mock.patch.object(image_folder, "AT_ONCE_BYTES", 0):
            source = ImageFolder(path=str(photos), height=224, width=224)
            return prepare(source.load(quiet), DataSettings(**everything))

    scenes = folder / "scenes"
    for i in range(JPEGS // 3):
        for kind in ("images", "masks"):
            (scenes / kind).mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8))
        coarse.resize((500, 375), Image.Resampling.BICUBIC).save(scenes / "images" / f"{i}.jpg", quality=90)
        mask = Image.fromarray(rng.integers(0, 5, (15, 20), dtype=np.uint8))
        mask.resize((500, 375), Image.Resampling.NEAREST).save(scenes / "masks" / f"{i}.png")

    def with_masks() -> Prepared:
        with mock.patch.object(mask_folder, "AT_ONCE", 0), mock.patch.object(picture_cache, "LIMIT", 0):
            source = MaskFolder(path=str(scenes), height=224, width=224, fit="crop")
            return prepare(source.load(quiet), DataSettings(**everything))

    def uncached() -> Prepared:
        with mock.patch.object(picture_cache, "LIMIT", 0):
            return pictures()

    yield "jpeg", "JPEG folder 500x375 to 224x224, decoded", str(photos), uncached

    def cached() -> Prepared:
        made = pictures()
        made.train.arrays["image"][:]
        return made

    yield "jpeg", "JPEG folder to 224x224, from the cache", str(photos), cached
    yield "masks", "JPEG and PNG masks to 224x224, decoded", str(scenes), with_masks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--torch", default=os.environ.get("NNDESIGNER_TORCH"), help="interpreter that can import torch")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    arguments = parser.parse_args()
    python = torch_python(arguments.torch)
    if python is None:
        print("PyTorch was not found (see --torch): only our own figures follow.")
    with tempfile.TemporaryDirectory() as name, mock.patch.object(
            picture_cache, "cache_folder", lambda: Path(name) / "cache"):
        for case, title, path, make in cases(Path(name)):
            batch = ENGINES[case]["batch"] if case in ENGINES else MASKED
            run, needed = ours(make(), batch, arguments.workers), engine(case, arguments.seconds)
            order = {"case": case, "path": path, "batch": batch, "workers": arguments.workers,
                     "seconds": arguments.seconds}
            theirs = None if python is None or path is None else subprocess.Popen(
                [python, str(HERE / "_torch_loader.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            rates, others = [], []
            for number in range(arguments.rounds + 1):
                rate = run(arguments.seconds)
                if theirs is not None:
                    theirs.stdin.write(json.dumps(order) + "\n")
                    theirs.stdin.flush()
                    line = theirs.stdout.readline()
                    if not line:
                        sys.exit("PyTorch's side ended; its message is above.")
                    others += [json.loads(line)["rate"]] if number else []
                rates += [rate] if number else []  # the first round warms up
            told = f"{title:42} {statistics.median(rates):10,.0f} samples/s, engine {needed:9,.0f}"
            if theirs is not None:
                theirs.stdin.close()
                theirs.wait()
                ratios = sorted(a / b for a, b in zip(rates, others))
                told += (f", PyTorch {statistics.median(others):9,.0f}; ratio {statistics.median(ratios):.2f} "
                         f"({ratios[0]:.2f} to {ratios[-1]:.2f})")
            print(told, flush=True)


if __name__ == "__main__":
    main()
