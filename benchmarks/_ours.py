"""Our side of the comparison: trains or asks one network as told by lines of JSON on standard input.

Line in: {"case": ..., "seconds": ..., "what": "train" or "answer", "device": "cpu" if not given}; line out: {"rate":
samples per second, "best": of the quickest step, "steps": ...}. The first line for a case also builds the network; that
is not timed.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import numpy as np

from nndesigner.data.preparing import Part, Prepared
from nndesigner.engine.accelerate import ACCELERATOR
from nndesigner.engine.device import Device
from nndesigner.engine.optimizers import Adam
from nndesigner.graph.check import Checked, check
from nndesigner.graph.model import Edge, Graph, Node
from nndesigner.layers import Layer
from nndesigner.spec import DataField, Shape, Signature
from nndesigner.training.settings import TrainSettings
from nndesigner.training.trainer import Trainer

_KINDS = {"dense": "dense.v1", "conv": "conv2d.v1", "pool": "maxpool2d.v1", "norm": "batchnorm.v1", "relu": "relu.v1",
          "flatten": "flatten.v1", "lstm": "lstm.v1", "attention": "selfattention.v1", "layernorm": "layernorm.v1",
          "mean": "globalavgpool1d.v1", "gap": "globalavgpool2d.v1", "add": "add.v1"}


def drawing(case: dict) -> Checked:
    """The network of a case, checked. Raises ValueError when it cannot be trained."""
    nodes, edges = [Node("n0", Layer.registry["input.v1"]())], []

    def put(kind: str, params: dict, *sources: str) -> str:
        nodes.append(Node(f"n{len(nodes)}", Layer.registry[kind](**params)))
        edges.extend(Edge(source, nodes[-1].id) for source in sources)
        return nodes[-1].id

    last = saved = "n0"
    for name, params in case["layers"]:
        if name == "save":  # the next "add" adds these values
            saved = last
        elif name == "project":  # a convolution and batch norm on the saved values
            saved = put(_KINDS["norm"], {}, put(_KINDS["conv"], params, saved))
        elif name == "add":
            last = put(_KINDS[name], params, last, saved)
        else:
            last = put(_KINDS[name], params, last)
    put("output.v1", {}, last)
    shape = tuple(case["shape"])
    fields = [DataField("x", "input", Shape({1: "F", 2: "TF", 3: "HWC"}[len(shape)], shape))]
    classes = case["classes"]
    if classes:
        fields.append(DataField("target", "target", Shape("F", (classes,)), "class", tuple(map(str, range(classes)))))
    else:
        fields.append(DataField("target", "target", Shape("F", (1,))))
    checked = check(Graph(tuple(nodes), tuple(edges), len(nodes)), Signature(tuple(fields)))
    if not checked.trainable:
        raise ValueError([problem.text for problem in checked.problems])
    return checked


def build(case: dict, threads: int | None = None, device: str = "cpu") -> Trainer:
    """A trainer over two thousand random samples (fewer for large images)."""
    checked, shape, classes = drawing(case), tuple(case["shape"]), case["classes"]
    rng = np.random.default_rng(0)
    count = max(4 * case["batch"], min(2000, 4_000_000 // int(np.prod(shape)))) // case["batch"] * case["batch"]
    arrays = {"x": rng.standard_normal((count, *shape), dtype=np.float32)}
    arrays["target"] = (
        rng.integers(0, classes, count) if classes else rng.standard_normal((count, 1), dtype=np.float32))
    rows = np.arange(count)
    none = Part("none", rows[:0], {name: array[:0] for name, array in arrays.items()})
    data = Prepared(None, checked.signature, None, Part("train", rows, arrays), none, none, (), "")
    settings = TrainSettings(epochs=1_000_000, batch_size=case["batch"], optimizer=Adam())
    return Trainer(checked, data, settings, Device(device), threads=threads)


def memory(device: Device) -> float:
    """Most memory taken so far, MiB: of the process, or of the pool of a GPU, which keeps what it once took."""
    if device.is_cpu:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return device.xp.get_default_memory_pool().total_bytes() / 2**20


def main() -> None:
    trainers: dict[str, Trainer] = {}
    for line in sys.stdin:
        order = json.loads(line)
        case = order["case"]
        if case["name"] not in trainers:
            if order.get("accelerator"):
                ACCELERATOR.start()
                if not ACCELERATOR.wait():
                    raise SystemExit(ACCELERATOR.words())
            trainers.clear()
            trainers[case["name"]] = build(case, order.get("threads"), order.get("device", "cpu"))
            for _ in range(5):
                trainers[case["name"]].step()
        trainer = trainers[case["name"]]
        step = trainer.inner_step
        if order["what"] == "answer":
            network = trainer.network
            step = network.side_by_side([plan for _, plan in network.answering(case["batch"])])
        clock = time.perf_counter
        with trainer.working():
            steps, best, began = 0, float("inf"), clock()
            last = began
            while last - began < order["seconds"]:
                step()
                now = clock()
                best = min(best, now - last)
                last = now
                steps += 1
            if not trainer.device.is_cpu:
                trainer.device.xp.cuda.get_current_stream().synchronize()
                last = clock()
        print(json.dumps({
            "rate": steps * case["batch"] / (last - began), "best": case["batch"] / best, "steps": steps,
            "memory": memory(trainer.device),
        }), flush=True)


if __name__ == "__main__":
    main()
