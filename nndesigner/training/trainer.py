"""A training run as a loop of steps. Knows no thread and no window; the session gives it both.

Everything is a function of drawing, data, settings and seed: a run repeated on the same machine, versions, device and
thread count gives the same bits, and so does one continued from a checkpoint.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from nndesigner.data.preparing import Part, Prepared
from nndesigner.data.rows import EncodedRows
from nndesigner.engine.device import Device
from nndesigner.engine.network import Network
from nndesigner.engine.schedules import Plateau, SchedulePoint
from nndesigner.graph.check import Checked
from nndesigner.training.averaging import averager
from nndesigner.training.batches import Batches, mask_key, measured_by
from nndesigner.training.checkpoint import Checkpoint
from nndesigner.training.clustering import set_centres
from nndesigner.training.evaluation import Evaluation, measured, metric_names
from nndesigner.training.feeding import Feeder, HeldRows, Orders, fields_to_read
from nndesigner.training.history import History
from nndesigner.training.memory import memory_is_full, too_large
from nndesigner.training.settings import TrainSettings
from nndesigner.training.soft import no_soft_labels, soft_targets
from nndesigner.training.telemetry import Failure
from nndesigner.training.update import Update
from nndesigner.training.uploading import Uploader
from nndesigner.training.waiting import WaitingLosses

#: Predictions kept for an epoch's training metrics take at most this much; beyond it the first samples stand for all.
RUNNING_BYTES = 64 * 2**20


class TrainingFailure(RuntimeError):
    """A run cannot go on. `failure` says why, where and what to do."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


def _nothing() -> None:
    pass


class Trainer:
    """Trains one network. All methods belong to one thread.

    Raises TrainingFailure when there is nothing to train on, NodeError when a layer cannot be prepared, DeviceError
    when the device cannot be used, ValueError when the checkpoint belongs to another network. `threads` None: as many
    as pay for this network on this machine.
    """

    def __init__(
        self, checked: Checked, prepared: Prepared, settings: TrainSettings, device: Device,
        checkpoint: Checkpoint | None = None, threads: int | None = None,
    ) -> None:
        if not len(prepared.train):
            raise TrainingFailure(Failure("There are no training samples: make the training part of the data larger."))
        self.checked, self.prepared, self.settings, self.device = checked, prepared, settings, device
        failure = too_large(checked, settings, device)
        if failure is None and prepared.mixer is not None:
            failure = no_soft_labels(checked)
        if failure is not None:
            raise TrainingFailure(failure)
        self.history = History()
        #: called between two batches while a part of the data is measured, which may take long; may raise to end it
        self.between_batches: Callable[[], None] = _nothing
        #: sentences worth telling, in order
        self.messages: list[str] = []
        #: epochs done and to do
        self.epoch, self.epochs = 0, settings.epochs
        self.best_epoch: int | None = None
        self._samples = len(prepared.train)
        self._batch = min(settings.batch_size, self._samples)
        #: steps of one epoch
        self.steps_per_epoch = -(-self._samples // self._batch)
        self._position = 0  # steps done in this epoch
        self._orders = Orders(settings.seed, self._samples, self._batch)
        self._updates = 0  # steps ever done: what dropout depends on
        self._optimizer_steps = 0
        self._rate_factor = 1.0
        self._stopped_early = False
        self._best_loss, self._waited = math.inf, 0
        self._val_losses: tuple[float, ...] = ()
        self._loss_sum = 0.0
        try:
            self._build(checkpoint, threads)
        except Exception as error:
            if not device.out_of_memory(error):
                raise
            batch = self._batch
            vars(self).clear()  # what was built so far must go before anything else is asked for
            raise TrainingFailure(memory_is_full(checked, prepared, settings, device, batch, error)) from error
        if not len(prepared.validation) and checkpoint is None:
            if settings.early_stopping:
                self.messages.append("Early stopping is off: it needs a validation part of the data.")
            if isinstance(settings.schedule, Plateau):
                self.messages.append("The learning rate stays: reducing it on a plateau needs a validation part.")

    # --- reading ---

    @property
    def step_number(self) -> int:
        """Steps done in the whole run."""
        return self.epoch * self.steps_per_epoch + self._position

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.epochs * self.steps_per_epoch

    @property
    def finished(self) -> bool:
        return self._stopped_early or self.epoch >= self.epochs

    @property
    def samples_done(self) -> int:
        """Samples that went through training steps in the whole run."""
        return self.epoch * self._samples + self._position * self._batch

    @property
    def batch_size(self) -> int:
        return self._batch

    @property
    def learning_rate(self) -> float:
        """Rate of the next step. Setting it scales the schedule from here on so that the next step has this rate."""
        return self._scheduled() * self._rate_factor

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        if not (math.isfinite(rate) and rate > 0):
            raise ValueError(f"The learning rate must be above 0, got {rate}.")
        scheduled = self._scheduled()
        # Where the schedule has come to zero, its start is the measure.
        self._rate_factor = rate / (scheduled if scheduled > 0 else self.settings.optimizer.learning_rate)
        self._epoch_rate = self.learning_rate

    # --- running ---

    def step(self) -> None:
        """One step on one batch; the last one of an epoch also measures the validation part.

        Raises TrainingFailure; weights are then the last good ones. Does nothing when finished.
        """
        if not self.finished:
            with self.working():
                self.inner_step()

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """What `inner_step` needs around it: the device made current, and no warnings about overflow.

        Within it the network holds the weights that are trained, outside of it the averaged ones if there are any.
        """
        with self.device.use(), np.errstate(all="ignore"):
            self._show_average(False)
            try:
                yield
                self.catch_up()
            finally:
                self._show_average(True)

    def catch_up(self) -> None:
        """Take the losses that wait on a GPU into the history. Raises TrainingFailure when one is not finite."""
        if self._waiting is None:
            return
        for batches, position, loss in self._waiting.take():
            if loss - loss != 0.0:  # this step once more, to find the layer
                self.network.clock.step = self._updates - self._position + position
                rows = self._order[position * self._batch:][:batches.size]
                batches.compute(rows, self._feeder and self._feeder.take((self.epoch, position)))
                raise self._diverged("The loss", batches)
            self._loss_sum += loss * batches.size
            self.history.add("loss", self.epoch + (position + 1) / self.steps_per_epoch, loss)

    def inner_step(self) -> None:
        """`step` of an unfinished run within `working`, for loops: entering that takes a while."""
        position = self._position
        start = position * self._batch
        last = position + 1 == self.steps_per_epoch
        batches = self._tail if last else self._full
        stop = start + batches.size
        rows = self._order[start:stop]
        self.network.clock.step = self._updates
        batches.compute(rows, None if self._feeder is None else self._feeder.take((self.epoch, position)))
        waiting = self._waiting
        if waiting is not None:
            waiting.note(batches, position)
        else:
            loss = batches.loss()
            if loss - loss != 0.0:  # infinite or not a number
                raise self._diverged("The loss", batches)
        batches.keep_predictions(start)
        rate = self._epoch_rate
        if self._within_epoch:
            rate = self.learning_rate
        if self._within_epoch or not position:
            self.history.add("learning_rate", self.epoch + position / self.steps_per_epoch, rate)
        self._updates += 1
        if self._gathering:
            updated = self._gather(rate, last)
        else:
            updated = True
            self._optimizer_steps += 1
            self._update.run(rate, self._optimizer_steps)
        if updated and self._average is not None:
            self._average.update(last, (self.step_number + 1) / self.steps)
        self._position = position + 1
        if waiting is None:
            self._loss_sum += loss * batches.size
            self.history.add("loss", self.epoch + (position + 1) / self.steps_per_epoch, loss)
        elif last or waiting.full:
            self.catch_up()
        if last:
            self._end_epoch()

    def _gather(self, rate: float, last: bool) -> bool:
        """Add the gradients of this batch to those before; with the last one comes the update. Whether it came."""
        count, position = self.settings.accumulate, self._position
        begin = position // count * count
        samples = min((begin + count) * self._batch, self._samples) - begin * self._batch
        size = self._tail.size if last else self._batch
        self._update.gather(size / samples, first=position == begin)
        due = last or position + 1 == begin + count
        if due:
            self._optimizer_steps += 1
            self._update.run_gathered(rate, self._optimizer_steps)
        return due

    def _show_average(self, shown: bool) -> None:
        if self._average is not None:
            self._average.show(shown)

    def run(self) -> None:
        """All remaining steps. Raises TrainingFailure."""
        with self.working():
            while not self.finished:
                self.inner_step()

    def extend(self, epochs: int) -> None:
        """Allow this many more epochs, also after early stopping."""
        finished = self.finished
        self.epochs = (self.epoch if finished else self.epochs) + epochs
        self._stopped_early = False
        self._waited = 0
        if finished:
            self._begin_epoch()

    def evaluate(self, part: Part | str) -> dict[str, float]:
        """{"loss": ..., metric: ...} of "train", "validation", "test" or any other Part, in inference mode."""
        if not isinstance(part, str):
            return Evaluation(self.network, part, self.settings.metrics).run(self.between_batches)
        if part not in self._evaluations:
            self._evaluations[part] = Evaluation(
                self.network, self.prepared.part(part), self.settings.metrics)
        return self._evaluations[part].run(self.between_batches)

    def close(self) -> None:
        """End the threads that read ahead. The trainer still answers, but trains no more."""
        if self._feeder is not None:
            self._feeder.close()

    # --- preparing ---

    def _build(self, checkpoint: Checkpoint | None, threads: int | None) -> None:
        soft = frozenset() if self.prepared.mixer is None else soft_targets(self.checked)
        self.network = Network(self.checked, self.device, self.settings.seed, threads=threads, soft=soft)
        if threads is None:
            threads = self.network.useful_threads(self._batch)
            if checkpoint is not None:
                threads = int(checkpoint.state["threads"])
        #: threads that compute a step; the bits of a run depend on it, so a continued run keeps it
        self.threads = threads
        with self.device.use():
            self._prepare()
            if checkpoint is not None:
                self._restore(checkpoint)
            self._begin_epoch()
            self._remember_good()

    def _prepare(self) -> None:
        network, device, weights = self.network, self.device, self.network.weights
        gradients = [weights.gradients, *(weights.new_gradients() for _ in range(1, self.threads))]
        self._full = self._tail = Batches(network, self._batch, gradients)
        if self._samples % self._batch:
            self._tail = Batches(network, self._samples % self._batch, gradients)
        plan = self._full.plans[0]
        fields = {feed.field for feed in plan.feeds}
        arrays = {field: self.prepared.train.arrays[field] for field in fields}
        read = fields_to_read(self.prepared, fields)
        held = {field: np.ascontiguousarray(arrays[field]) for field in fields - read.keys()}
        if not device.has_room(sum(rows.nbytes for rows in held.values())):
            read |= {field: HeldRows(rows) for field, rows in held.items()}
        data = {field: device.asarray(rows) for field, rows in held.items() if field not in read}
        self._feeder, mixer = None, self.prepared.mixer
        if read and device.is_cpu:
            self._feeder = Feeder(read, self._orders, mixer=mixer)
        elif read:
            self._feeder = Uploader(read, self._orders, device, mixer)
        self._evaluations: dict[str, Evaluation] = {}
        self._metrics = metric_names(network, self.settings.metrics)
        self._running = {}
        for key, values in measured_by(plan).items():
            row = math.prod(values.shape[1:]) * values.dtype.itemsize
            count = min(self._samples, max(RUNNING_BYTES // max(row, 1), self._batch))
            self._running[key] = device.xp.zeros((count, *values.shape[1:]), dtype=values.dtype)
        for batches in {self._full, self._tail}:
            batches.feed(data, self._running)
        self._update = Update(network, self.settings, network.pool if self.threads > 1 else None, gradients)
        self._waiting = None if device.is_cpu else WaitingLosses(self._full, weights.grads)
        self._gathering = self.settings.accumulate > 1
        self._average = averager(weights, self.settings.averaging)
        self._within_epoch = self.settings.schedule.within_epoch
        self._good = weights.copy()
        self._best = weights.copy() if self.settings.early_stopping else None

    def _scheduled(self) -> float:
        point = SchedulePoint(self.step_number, self.steps, self.epoch, self.epochs, self._val_losses)
        return self.settings.schedule.rate(self.settings.optimizer.learning_rate, point)

    # --- epochs ---

    def _begin_epoch(self) -> None:
        order = self._orders.of(self.epoch)
        centres = set_centres(self.network, self.prepared.train, self.epoch, self.settings.seed)
        if centres:  # from here on it is another loss, and another average
            self._restart_average()
            self._best_loss, self.best_epoch, self._waited = math.inf, None, 0
            self.messages.append(f"Epoch {self.epoch + 1}: the centres of the clusters were set by k-means.")
        self._host_order = order
        self._order = self.device.asarray(order)
        self._epoch_rate = self.learning_rate

    def _end_epoch(self) -> None:
        history, epoch = self.history, self.epoch + 1
        self._show_average(True)
        found = {"loss": self._loss_sum / self._samples}
        for node, metrics in self._metrics.items():
            predictions = self.device.host(self._running[node])
            rows = self._host_order[: len(predictions) // self._batch * self._batch or None]
            if len(predictions) == self._samples:
                rows = self._host_order
            targets = self.prepared.train.arrays[self.network.heads[node].target]
            targets = targets.changed(rows, self.epoch) if isinstance(targets, EncodedRows) else targets[rows]
            mask = self._running.get(mask_key(node))
            mask = None if mask is None else self.device.host(mask)[: len(rows)]
            found.update(measured(metrics, predictions[: len(rows)], targets, mask))
        self._note("train", "", {name: value for name, value in found.items() if name != "loss"})
        history.metrics["train", "loss"] = found["loss"]
        val_loss = None
        if len(self.prepared.validation):
            figures = self.evaluate("validation")
            val_loss = figures["loss"]
            if not math.isfinite(val_loss):
                raise self._diverged("The validation loss", None)
            self._note("val", "val_", figures)
        before = self.learning_rate
        self.epoch, self._position, self._loss_sum = epoch, 0, 0.0
        self._remember_good()
        if val_loss is not None:
            self._val_losses = (*self._val_losses, val_loss)
            self._judge(val_loss)
        if isinstance(self.settings.schedule, Plateau) and self.learning_rate < before:
            self.messages.append(f"Epoch {epoch}: learning rate reduced to {self.learning_rate:.3g}.")
        if self.finished and self._best is not None and self.best_epoch is not None:
            self.network.weights.paste(self._best)
            self._restart_average()
            self.messages.append(f"The weights of epoch {self.best_epoch}, the best one, were taken.")
        self._show_average(False)
        if not self.finished:
            self._begin_epoch()

    def _restart_average(self) -> None:
        """What the network holds now is what is trained on."""
        if self._average is not None:
            self._average.restart()

    def _note(self, part: str, prefix: str, figures: Mapping[str, float]) -> None:
        """Figures of the epoch that is ending. Those that make no sense (R² of one sample) are left out."""
        for name, value in figures.items():
            if math.isfinite(value):
                self.history.add(prefix + name, self.epoch + 1, value)
                self.history.metrics[part, name] = value

    def _judge(self, val_loss: float) -> None:
        """Keep the best epoch and stop early when it lies too far back."""
        if val_loss < self._best_loss:
            self._best_loss, self.best_epoch, self._waited = val_loss, self.epoch, 0
            if self._best is not None:
                self.network.weights.copy(self._best)
            return
        self._waited += 1
        if self.settings.early_stopping and self._waited >= self.settings.early_stopping and self.epoch < self.epochs:
            self._stopped_early = True
            self.messages.append(
                f"Stopped after epoch {self.epoch}: the validation loss has not improved for {self._waited} epochs.")

    def _remember_good(self) -> None:
        """Copy the weights if they are all finite."""
        weights = self.network.weights
        if weights.finite():
            weights.copy(self._good)
            self._good_epoch = self.epoch

    def _diverged(self, what: str, batches: Batches | None) -> TrainingFailure:
        """Find the layer to blame, go back to the last good weights, and say what to do.

        `batches` hold the step that failed; None where measuring has overwritten its values, and no layer is blamed.
        """
        node = None if batches is None else batches.first_not_finite()
        where = ""
        if node is not None:
            title = self.checked.graph.node(node).title
            where = f" The first layer with such values is {title}."
        advice = "Lower the learning rate, switch on gradient clipping, or standardise the data"
        if node is not None and node in self.checked.inputs:
            where, advice = " The data hold such values.", "Remove or replace missing values in the data"
        self.network.weights.paste(self._good)
        if self._waiting is not None:
            self._waiting.restart()
        self._restart_average()
        return TrainingFailure(Failure(
            f"{what} is no longer a finite number (epoch {self.epoch + 1}, learning rate {self.learning_rate:.3g})."
            f"{where} {advice}, then train again. The weights of epoch {self._good_epoch} were kept.", node))

    # --- saving ---

    def checkpoint(self) -> Checkpoint:
        """The whole state, for a file or for another Trainer of the same drawing, data and settings."""
        weights = self.network.weights
        arrays = {f"weights/{name}": array for name, array in weights.state_dict().items()}
        for slot, flat in self._update.slots.items():
            arrays.update({f"optimizer/{slot}/{name}": array for name, array in weights.unflatten(flat).items()})
        if self._best is not None and self.best_epoch is not None:
            arrays.update({f"best/{name}": array for name, array in weights.state_dict(self._best).items()})
        if self._average is not None:
            arrays.update({f"trained/{name}": array for name, array in self._average.trained().items()})
        if self._gathering and self._position % self.settings.accumulate:
            gathered = weights.unflatten(self._update.gathered)
            arrays.update({f"gathered/{name}": array for name, array in gathered.items()})
        rows = self._position * self._batch
        for key, values in self._running.items():
            arrays[f"running/{key}"] = np.array(self.device.host(values[:rows]))
        curves, history = self.history.to_state()
        arrays.update({f"curve/{name}": points for name, points in curves.items()})
        state = {
            "epoch": self.epoch, "epochs": self.epochs, "planned_epochs": self.settings.epochs,
            "position": self._position, "updates": self._updates,
            "optimizer": self.settings.optimizer.kind, "optimizer_steps": self._optimizer_steps,
            "rate_factor": self._rate_factor, "stopped_early": self._stopped_early, "best_epoch": self.best_epoch,
            "best_loss": self._best_loss if math.isfinite(self._best_loss) else None, "waited": self._waited,
            "val_losses": list(self._val_losses), "loss_sum": self._loss_sum, "messages": list(self.messages),
            "seed": self.settings.seed, "samples": self._samples, "batch": self._batch,
            "threads": self.threads, "history": history, "accumulate": self.settings.accumulate,
            "averaging": self.settings.averaging.kind, "averaged": self._average.count if self._average else 0,
        }
        return Checkpoint(arrays, state)

    def _restore(self, checkpoint: Checkpoint) -> None:
        weights, state = self.network.weights, checkpoint.state
        weights.load(checkpoint.part("weights"))
        trained = checkpoint.part("trained")
        if self._average is not None and trained and state["averaging"] == self.settings.averaging.kind:
            self._average.restore(trained, int(state["averaged"]))
        self.epoch = int(state["epoch"])
        self._stopped_early = bool(state["stopped_early"])
        if int(state["planned_epochs"]) == self.settings.epochs:
            self.epochs = int(state["epochs"])
        elif self.epochs > self.epoch:  # the settings were changed to go on
            self._stopped_early = False
        self._updates = int(state["updates"])
        self._rate_factor = float(state["rate_factor"])
        self._val_losses = tuple(float(v) for v in state["val_losses"])
        self._waited = int(state["waited"])
        self.messages = [str(text) for text in state["messages"]]
        curves = checkpoint.part("curve")
        self.history = History.from_state(curves, state["history"])
        if state["optimizer"] == self.settings.optimizer.kind:
            self._optimizer_steps = int(state["optimizer_steps"])
            for slot, flat in self._update.slots.items():
                weights.flatten(checkpoint.part(f"optimizer/{slot}"), flat)
        best = checkpoint.part("best")
        self.best_epoch = None if state["best_epoch"] is None else int(state["best_epoch"])
        self._best_loss = math.inf if state["best_loss"] is None else float(state["best_loss"])
        if self._best is not None and best:
            kept = weights.copy()
            weights.load(best)
            weights.copy(self._best)
            weights.paste(kept)
        elif self._best is not None:
            self.best_epoch, self._best_loss = None, math.inf
        # In the middle of an epoch the order of samples must be the same one; otherwise the epoch begins anew.
        then = state["samples"], state["batch"], state["seed"], state.get("accumulate", 1)
        if then == (self._samples, self._batch, self.settings.seed, self.settings.accumulate):
            gathered = checkpoint.part("gathered")
            if gathered:
                weights.flatten(gathered, self._update.gathered)
            self._position = int(state["position"])
            self._loss_sum = float(state["loss_sum"])
            for key, values in checkpoint.part("running").items():
                self._running[key][: len(values)] = self.device.asarray(values)
