"""PyTorch's side of the comparison of loaders: samples per second of a DataLoader, as told by lines of JSON.

Line in: {"case": "digits" | "cifar" | "jpeg" | "masks", "path": ..., "batch": ..., "workers": ..., "seconds": ...};
line out: the rate. torchvision is not needed: pictures are read and resized with Pillow, as its folder data set does.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, TensorDataset

SIDE = 224


class Mapped(Dataset):
    """Pictures of a mapped .npy file as float tensors, channels first."""

    def __init__(self, path: str) -> None:
        self.values = np.load(path, mmap_mode="r")

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        picture = torch.from_numpy(np.array(self.values[i]))
        return picture.permute(2, 0, 1).float().div_(255), i % 10


class Folder(Dataset):
    """JPEG files, cut to the middle and resized to SIDE; with `draft` decoded at a fraction of their size, as ours."""

    def __init__(self, path: str, draft: bool) -> None:
        self.paths, self.draft = sorted(Path(path).rglob("*.jpg")), draft

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        with Image.open(self.paths[i]) as opened:
            if self.draft:
                opened.draft("RGB", (2 * SIDE, 2 * SIDE))
            picture = opened.convert("RGB")
        width, height = picture.size
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        picture = picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR, (left, top, left + side, top + side))
        return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float().div_(255), i % 10


class Masked(Folder):
    """The same with the mask of each picture, resized to the nearest pixel."""

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        picture, _ = super().__getitem__(i)
        with Image.open(self.paths[i].parent.parent / "masks" / f"{self.paths[i].stem}.png") as opened:
            width, height = opened.size
            side = min(width, height)
            left, top = (width - side) / 2, (height - side) / 2
            mask = opened.resize((SIDE, SIDE), Image.Resampling.NEAREST, (left, top, left + side, top + side))
        return picture, torch.from_numpy(np.array(mask)).long()


def data_of(order: dict) -> Dataset:
    if order["case"] == "digits":
        return TensorDataset(torch.rand(1797, 1, 8, 8), torch.randint(0, 10, (1797,)))
    if order["case"] == "cifar":
        return Mapped(order["path"])
    return (Masked if order["case"] == "masks" else Folder)(order["path"], draft=True)


def main() -> None:
    loaders: dict[str, DataLoader] = {}
    for line in sys.stdin:
        order = json.loads(line)
        if order["case"] not in loaders:
            loaders.clear()
            workers = order["workers"]
            loaders[order["case"]] = DataLoader(
                data_of(order), order["batch"], shuffle=True, num_workers=workers, persistent_workers=workers > 0)
            for _ in loaders[order["case"]]:  # starts the workers
                break
        loader, count, began = loaders[order["case"]], 0, time.perf_counter()
        while time.perf_counter() - began < order["seconds"]:
            for samples, _ in loader:
                count += len(samples)
        print(json.dumps({"rate": count / (time.perf_counter() - began)}), flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
