"""The checked drawing compiled for one batch size: a flat list of calls over buffers that are planned once.

Order is topological. Every node writes its output into a buffer; nodes that only change the shape are views. The
gradient of a value with several consumers is summed here, so a layer always overwrites `dx`. A step allocates nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nndesigner.engine.accelerate import quicker_on
from nndesigner.engine.device import Device
from nndesigner.engine.losses import default_loss
from nndesigner.engine.memory import Arena, Wanted
from nndesigner.engine.order import backward_order, postponed_ends
from nndesigner.engine.random import Stream, normal_from
from nndesigner.engine.weights import Gradients, Weights, sources
from nndesigner.graph.check import Checked
from nndesigner.layers.base import Bind, Step, parts_in
from nndesigner.layers.elementwise import in_turn
from nndesigner.layers.io import Input
from nndesigner.spec.loss import Loss, LossBind
from nndesigner.spec.part import WHOLE, Part


class NodeError(RuntimeError):
    """A node failed while it was bound or run. `text` is a sentence for the user."""

    def __init__(self, node: str, text: str) -> None:
        super().__init__(text)
        self.node = node
        self.text = text


@dataclass
class Clock:
    """What random layers depend on besides their node: the seed, and the step that is being computed."""

    seed: int
    step: int = 0


@dataclass(frozen=True)
class Feed:
    """A buffer to be filled before a step: with rows of data field `field`."""

    field: str
    buffer: Any
    #: the truth for a head, not an input
    target: bool = False


class Plan:
    """Forward (and, when training, backward) passes of `batch` samples.

    `keep` holds every node's output until the next pass, for pictures of what the nodes compute.
    """

    def __init__(
        self, checked: Checked, device: Device, weights: Weights, arena: Arena, clock: Clock, batch: int,
        training: bool, keep: bool = False, part: Part = WHOLE, gradients: Gradients | None = None,
        soft: frozenset[str] = frozenset(),
    ) -> None:
        self.checked = checked
        self.batch = batch
        self.training = training
        #: targets of classes whose truth comes as probabilities
        self._soft = soft if training else frozenset()
        self._device, self._weights, self._clock = device, weights, clock
        self._part, self._gradients = part, gradients or weights.gradients
        self._xp, self._dtype = device.xp, weights.dtype
        self.order, self._wanting = backward_order(checked) if training else (list(checked.order), set())
        #: layers that add to the loss
        self.adding = tuple(n for n in self.order if checked.graph.node(n).layer.adds_loss)
        self._convolve = device.convolver()
        self._root = self._roots()
        self._inputs = self._feeding()
        self._masks = self._needed_masks()
        buffers = arena.arrays(self._wanted(keep))
        self._buffers = buffers
        #: output of every node, [batch, ...]; only those of a `keep` plan are whole after a pass
        self.values: dict[str, Any] = {}
        for node_id in self.order:
            if checked.graph.node(node_id).layer.emits:
                root = self._root[node_id]
                whole = buffers["input", self._inputs[root]] if root in self._inputs else buffers["y", root]
                self.values[node_id] = whole.reshape(self._dims(node_id))
        self.feeds: list[Feed] = [
            Feed(field, buffers["input", field]) for field in dict.fromkeys(self._inputs.values())]
        #: prediction of every head, [batch, ...], the link function applied
        self.predictions: dict[str, Any] = {}
        #: mean loss of the batch, one value for each head, in the order of `predictions`, and for each of `adding`
        self.losses = self._xp.zeros(max(len(self._heads) + len(self.adding), 1), dtype=self._dtype)
        self._forward_nodes: list[tuple[str, Step]] = []
        self._backward_nodes: list[tuple[str, Step]] = []
        self._bind_all(keep)
        self._forward = [part for _, step in self._forward_nodes for part in parts_in(step)]
        self._backward = [part for _, step in reversed(self._backward_nodes) for part in parts_in(step)]

    # --- running ---

    def forward(self) -> None:
        """Compute all values, predictions and losses. Raises NodeError."""
        step: Step | None = None
        try:
            for step in self._forward:
                step()
        except Exception as error:
            raise self._failure(self._forward_nodes, step, error) from error

    def backward(self) -> None:
        """Compute the gradients of all weights; the forward pass must have run. Raises NodeError."""
        step: Step | None = None
        try:
            for step in self._backward:
                step()
        except Exception as error:
            raise self._failure(self._backward_nodes, step, error) from error

    def first_not_finite(self) -> str | None:
        """Run forward once more, looking after every node; the first one whose value or weight is not finite.

        It goes on to the end in any case: other parts of the batch may wait for this one.
        """
        xp, bad = self._xp, []
        for feed in self.feeds:
            if feed.buffer.dtype.kind == "f" and not bool(xp.isfinite(feed.buffer).all()):
                bad += [n for n, field in self._inputs.items() if field == feed.field]
        for node_id, step in self._forward_nodes:
            weights, _, running = self._weights.of(node_id, self._gradients)
            finite = all(bool(xp.isfinite(a).all()) for a in (*weights.values(), *running.values()))
            step()
            values = self.predictions[node_id] if node_id in self.predictions else self.values[node_id]
            if not (finite and bool(xp.isfinite(values).all())):
                bad.append(node_id)
        return next(iter(bad), None)

    def _failure(self, nodes: list[tuple[str, Step]], step: Step | None, error: Exception) -> Exception:
        if self._device.out_of_memory(error):
            return error
        node_id = next((n for n, s in nodes if any(part is step for part in parts_in(s))), None)
        if node_id is None:
            return error
        title = self.checked.graph.node(node_id).title
        return NodeError(node_id, f"{title} failed while it was computed: {error}.")

    # --- planning ---

    def _dims(self, node_id: str) -> tuple[int, ...]:
        return (self.batch, *self.checked.shapes[node_id].dims)

    def _roots(self) -> dict[str, str]:
        """The node in whose buffer a node's values lie: itself, but for views the node they look at."""
        roots: dict[str, str] = {}
        for node_id in self.order:
            layer = self.checked.graph.node(node_id).layer
            roots[node_id] = roots[sources(self.checked, node_id)[0]] if layer.view else node_id
        return roots

    @property
    def _heads(self) -> list[str]:
        return [node_id for node_id in self.order if node_id in self.checked.heads]

    def _feeding(self) -> dict[str, str]:
        """Input node -> name of the field that feeds it, for the nodes of this plan."""
        named = {n: self.checked.inputs.get(n, n) for n in self.order}
        return {n: f for n, f in named.items() if isinstance(self.checked.graph.node(n).layer, Input)}

    def _needed_masks(self) -> set[str]:
        """Nodes whose mask a layer or a loss of this plan uses."""
        checked, needed = self.checked, set()
        for node_id in self.order:
            layer = checked.graph.node(node_id).layer
            if layer.masking == "use" or not layer.emits:
                needed.update(checked.masks[s] for s in sources(checked, node_id) if s in checked.masks)
        return needed

    def mask(self, node_id: str) -> Any | None:
        """Which steps of a node's output are real, [batch, T] of 1 and 0; None where all are."""
        return self._buffers["mask", self.checked.masks[node_id]] if node_id in self.checked.masks else None

    def loss_of(self, node_id: str) -> Loss:
        """The loss of a head: the one chosen, or the usual one of its task."""
        head = self.checked.heads[node_id]
        return head.loss if head.loss is not None else default_loss(head.task)

    def target_of(self, node_id: str) -> tuple[tuple[int, ...], np.dtype]:
        """Shape with batch and dtype of what a head is compared with."""
        field = self.checked.signature.get(self.checked.heads[node_id].target)
        if field is not None and field.kind == "class" and field.name in self._soft:
            return (self.batch, *field.shape.dims), self._dtype
        if field is not None and field.kind != "real":
            return (self.batch, *field.sample_dims), np.dtype(np.int64)
        return self._dims(sources(self.checked, node_id)[0]), self._dtype

    def _wanted(self, keep: bool) -> list[Wanted]:
        """Every buffer and the time in which it is needed: forward at 0..n-1, backward at n..2n-1 in reverse order."""
        checked, n = self.checked, len(self.order)
        end = 2 * n
        place = {node_id: i for i, node_id in enumerate(self.order)}
        last_use: dict[str, int] = {}
        for node_id in self.order:
            for source in sources(checked, node_id):
                last_use[self._root[source]] = place[node_id]
        shown = {self._root[sources(checked, n)[0]] for n in self._heads if self.loss_of(n).link == "identity"}
        wanted: list[Wanted] = []
        inputs = self._inputs
        for field in dict.fromkeys(inputs.values()):
            node_id = next(i for i, f in inputs.items() if f == field)
            dtype = np.dtype(np.int64) if checked.shapes[node_id].integer else self._dtype
            # Data fields stay whole: a reconstruction is compared with its input.
            wanted.append(Wanted(("input", field), self._dims(node_id), dtype, -1, end))
        self._slots: dict[tuple[str, int], tuple[str, bool]] = {}  # (consumer, port) -> (root, adds to what is there)
        first_write: dict[str, int] = {}
        if self.training:
            for node_id in reversed(self.order):
                if checked.graph.node(node_id).layer.view:
                    continue
                for port, source in enumerate(sources(checked, node_id)):
                    root = self._root[source]
                    if root not in self._wanting:
                        continue
                    time = end - 1 - place[node_id]
                    adds = root in first_write
                    first_write.setdefault(root, time)
                    self._slots[node_id, port] = (root, adds)
                    if adds:
                        wanted.append(Wanted(("dx", node_id, port), self._dims(source), self._dtype, time, time))
        #: layers that add to the loss, and whose output counts nowhere else
        self._unread = [node_id for node_id in self.adding if node_id not in first_write]
        for node_id in self.order:
            layer = checked.graph.node(node_id).layer
            at, back = place[node_id], end - 1 - place[node_id]
            if not layer.emits:
                if self.loss_of(node_id).link != "identity":
                    wanted.append(
                        Wanted(("prediction", node_id), self._dims(sources(checked, node_id)[0]), self._dtype, at, end))
                shape, dtype = self.target_of(node_id)
                if self._shared_target(node_id) is None:
                    wanted.append(Wanted(("target", node_id), shape, dtype, -1, end))
            elif self._root[node_id] == node_id and node_id not in inputs:
                if self.training and node_id not in first_write:
                    # Layers take their gradient array when they are bound, also where it is never computed.
                    time = back if node_id in self._unread else -2
                    wanted.append(Wanted(("dy", node_id), self._dims(node_id), self._dtype, time, time))
                until = back if self.training else last_use.get(node_id, at)
                if keep or node_id in shown:
                    until = end
                wanted.append(Wanted(("y", node_id), self._dims(node_id), self._dtype, at, until))
                if node_id in self._masks:
                    wanted.append(Wanted(("mask", node_id), self._dims(node_id)[:2], self._dtype, at, end))
            if node_id in first_write:
                wanted.append(Wanted(("dy", node_id), self._dims(node_id), self._dtype, first_write[node_id], back))
        return wanted

    def _shared_target(self, node_id: str) -> str | None:
        """The input field that is also this head's target (reconstruction): its buffer serves both."""
        target = self.checked.heads[node_id].target
        inputs = self._inputs
        source = next((n for n, field in inputs.items() if field == target), None)
        if source is None or self.checked.shapes[source].integer:
            return None
        return target if self.checked.shapes[source].size == int(np.prod(self.target_of(node_id)[0][1:])) else None

    # --- binding ---

    def _bind_all(self, keep: bool) -> None:
        inputs, buffers = self._inputs, self._buffers
        ends = {} if self.training or keep else postponed_ends(self.checked)
        for node_id in self.order:
            layer = self.checked.graph.node(node_id).layer
            if node_id in inputs or layer.view:
                continue
            try:
                if layer.emits:
                    forward, backward = layer.bind(self._context(node_id, node_id in ends.values()))
                    if node_id in ends:  # what the layer before has left out
                        before = replace(self._context(ends[node_id]), y=self.values[node_id])
                        forward = in_turn([forward, self.checked.graph.node(ends[node_id]).layer.bind_end(before)])
                else:
                    forward, backward = self._bind_head(node_id)
            except Exception as error:
                if self._device.out_of_memory(error):
                    raise
                title = self.checked.graph.node(node_id).title
                raise NodeError(node_id, f"{title} could not be prepared: {error}.") from error
            self._forward_nodes.append((node_id, forward))
            if not self.training or (node_id not in self._wanting):
                continue
            # Noted in forward order and reversed later: an addition stands before the step that fills its temporary.
            for port, source in enumerate(sources(self.checked, node_id)):
                root, adds = self._slots.get((node_id, port), ("", False))
                if adds:
                    total = buffers["dy", root].reshape(self._dims(source))
                    self._backward_nodes.append((node_id, self._adder(total, buffers["dx", node_id, port])))
            self._backward_nodes.append((node_id, backward))
            if node_id in self._unread:
                self._backward_nodes.append((node_id, functools.partial(buffers["dy", node_id].fill, 0)))

    def _adder(self, total: Any, part: Any) -> Step:
        add = self._xp.add

        def step() -> None:
            add(total, part, out=total)

        return step

    def _gradient(self, node_id: str, port: int) -> Any | None:
        """Where a consumer writes the gradient of its input `port`."""
        if (node_id, port) not in self._slots:
            return None
        root, adds = self._slots[node_id, port]
        if adds:
            return self._buffers["dx", node_id, port]
        return self._buffers["dy", root].reshape(self._dims(sources(self.checked, node_id)[port]))

    def _context(self, node_id: str, endless: bool = False) -> Bind:
        feeding, layer = sources(self.checked, node_id), self.checked.graph.node(node_id).layer
        weights, grads, running = self._weights.of(node_id, self._gradients)
        uniform, normal = self._random(node_id)
        loss = None
        if node_id in self.adding:
            number = len(self._heads) + self.adding.index(node_id)
            loss = self.losses[number:number + 1]
        return Bind(
            xp=self._xp, dtype=self._dtype, batch=self.batch, training=self.training,
            x=tuple(self.values[source] for source in feeding), y=self.values[node_id],
            dx=tuple(self._gradient(node_id, port) for port in range(len(feeding))),
            dy=self._buffers.get(("dy", node_id)), weights=weights, grads=grads, buffers=running,
            scratch=self._scratch(), uniform=uniform, normal=normal, loss=loss, part=self._part,
            masks=tuple(self.mask(source) for source in feeding) if layer.masking == "use" else (),
            endless=endless, made_mask=self._buffers.get(("mask", node_id)), convolve=self._convolve,
            quicker=quicker_on(self._device, self._dtype),
        )

    def _bind_head(self, node_id: str) -> tuple[Step, Step]:
        head = self.checked.heads[node_id]
        (source,) = sources(self.checked, node_id)
        shared = self._shared_target(node_id)
        if shared is None:
            target = self._buffers["target", node_id]
            self.feeds.append(Feed(head.target, target, target=True))
        else:
            target = self._buffers["input", shared].reshape(self.target_of(node_id)[0])
        number = len(self.predictions)
        loss = self.loss_of(node_id)
        # Plain values are shown as they are: the loss sees one array as its input and its prediction.
        self.predictions[node_id] = (
            self.values[source] if loss.link == "identity" else self._buffers["prediction", node_id])
        return loss.bind(LossBind(
            xp=self._xp, x=self.values[source], target=target, y=self.predictions[node_id],
            dx=self._gradient(node_id, 0), value=self.losses[number:number + 1],
            weight=head.weight * self._part.share, scratch=self._scratch(),
            mask=self.mask(source), part=self._part,
        ))

    def _scratch(self) -> Callable[..., Any]:
        """Scratch arrays belong to one node of one plan and are zero at first: layers may keep constants in them."""
        arrays: dict[str, Any] = {}
        xp, usual = self._xp, self._dtype  # not self: layers keep this function, and a circle would keep the memory

        def scratch(name: str, shape: tuple[int, ...], dtype: Any = None) -> Any:
            if name not in arrays:
                arrays[name] = xp.zeros(shape, dtype=dtype or usual)
            if tuple(arrays[name].shape) != tuple(shape):
                raise ValueError(f"scratch array '{name}' is wanted in two shapes")
            return arrays[name]

        return scratch

    def _random(self, node_id: str) -> tuple[Callable[[str, Any], None], Callable[[str, Any], None]]:
        clock, xp = self._clock, self._xp
        name = f"{node_id}#{self._part.number}" if self._part.number else node_id
        streams: dict[str, Stream] = {}
        normals: dict[tuple[str, int], Callable[[], None]] = {}

        def uniform(purpose: str, out: Any) -> None:
            if purpose not in streams:
                streams[purpose] = Stream(clock.seed, purpose, name, xp)
            streams[purpose].uniform(clock.step, out)

        def normal(purpose: str, out: Any) -> None:
            key = purpose, id(out)  # the function made here keeps `out` alive, so its id stays its own
            if key not in normals:
                normals[key] = normal_from(xp, lambda values: uniform(purpose, values), out)
            normals[key]()

        return uniform, normal
