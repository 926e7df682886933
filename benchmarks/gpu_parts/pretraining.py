"""Pretraining of BERT-base, ours beside `transformers.Trainer`, in turns."""

import statistics
import tempfile
import time
from pathlib import Path

import torch

from gpu_parts import adapter
from gpu_parts.material import BASE, TOY, Material, Sizes
from gpu_parts.measuring import StepClock, free_memory, on, plain_torch

PEERS = ("ours", "Trainer")
FEWEST_TIMED, WORKERS = 6, 8
FEWEST_TURNS, MOST_TURNS = 2, 5
SHARE_OF_FIRST_BATCH = 0.6  # of the part's time, for the batch size that a GPU likes
FORMULA = (
    "matrix operations of a step: 6 × (Σ over sequences of n × (layers × (4 h² + 2 h i) + 2 layers h n) + predictions "
    "× (h² + pieces × h)), n wordpieces of a sequence, h width, i inner width: two for each product of numbers, three "
    "passes; the output layer counts at masked places only, for both, although the Trainer computes it everywhere; "
    "padding does not count"
)


PARTS = {}  # of a batch of the Trainer's, by its size, once a whole one was found not to fit


class Counted:
    """The wordpieces and matrix operations of the timed steps, and the clock that says which these are.

    Args:
        clock: of the steps.
        sizes: of the model.
        pieces: of its vocabulary.
    """

    def __init__(self, clock, sizes, pieces):
        self.clock, self.model, self.pieces = clock, BASE | sizes.model, pieces
        self.lengths, self.predictions = [], []

    def add(self, lengths, predictions):
        """A step's (or a part of one's) sequences and predictions, on whatever device."""
        if self.clock.timed():
            self.lengths.append(lengths)
            self.predictions.append(predictions)

    def wordpieces(self):
        """Special tokens included, padding not."""
        return int(torch.cat(self.lengths).sum())

    def operations(self):
        """See FORMULA."""
        layers, inner = self.model["num_hidden_layers"], self.model["intermediate_size"]
        width = self.model["hidden_size"]
        lengths = torch.cat(self.lengths).double()
        encoder = (lengths * (layers * (4 * width**2 + 2 * width * inner) + 2 * layers * width * lengths)).sum()
        places = int(torch.stack(self.predictions).sum())
        return 6 * (float(encoder) + places * (width**2 + self.pieces * width))


def ours(material, batch, steps, clock, counted):
    """Our pretraining; the losses of its steps."""
    settings = material.pretraining(batch, steps)
    model = material.model(on())
    adapter.seed(1, settings.threads)
    train, valid, *_ = material.text

    def note(lengths, predictions):
        clock.note()
        counted.add(lengths, predictions)

    losses, parts = adapter.pretrain(model, material.tokenizer, train, valid, settings, note=note)
    if parts != 1:
        raise RuntimeError(f"batches of {batch} were split into {parts}: they do not fit the GPU's memory")
    return losses, {}


def trainers(material, batch, steps, clock, counted):
    """The library's, at its best; a batch that does not fit is accumulated from halves."""
    while True:
        parts = PARTS.setdefault(batch, 1)
        try:
            return _trainers(material, batch, steps, parts, clock, counted)
        except torch.OutOfMemoryError:
            if parts == batch:
                raise
        free_memory()  # not in the handler, where the exception keeps what was allocated
        PARTS[batch] = 2 * parts
        clock.count, counted.lengths, counted.predictions = 0, [], []


def _trainers(material, batch, steps, parts, clock, counted):
    from transformers import (
        DataCollatorForLanguageModeling,
        PreTrainedTokenizerFast,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    plain_torch()
    torch.backends.cuda.enable_cudnn_sdp(False)  # as ours; with it a step took the Trainer half as long again
    torch.manual_seed(1)
    model = material.model(on())
    assert model.config._attn_implementation == "sdpa"
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    fast = PreTrainedTokenizerFast(tokenizer_object=material.tokenizer, **names)
    settings = material.pretraining(batch, steps)
    data = [{"input_ids": ids} for ids in adapter.examples_of(material.text[0], material.tokenizer, settings)]
    losses = []

    class Noted(TrainerCallback):
        def on_step_begin(self, *_, **__):
            clock.note()

    class Listening(Trainer):
        def compute_loss(self, model, inputs, *given, **named):
            counted.add(inputs["attention_mask"].sum(1), (inputs["labels"] >= 0).sum())
            loss = super().compute_loss(model, inputs, *given, **named)
            losses.append(loss.detach())
            return loss

    with tempfile.TemporaryDirectory() as folder:
        how = TrainingArguments(
            folder,
            max_steps=steps,
            per_device_train_batch_size=batch // parts,
            gradient_accumulation_steps=parts,
            learning_rate=settings.learning_rate,
            warmup_steps=settings.warmup_steps,
            weight_decay=settings.weight_decay,
            adam_epsilon=1e-6,
            max_grad_norm=settings.gradient_norm,
            optim="adamw_torch_fused",
            bf16=True,
            use_cpu=not torch.cuda.is_available(),
            train_sampling_strategy="group_by_length",
            dataloader_num_workers=1 if material.sizes is TOY else WORKERS,
            dataloader_pin_memory=torch.cuda.is_available(),
            remove_unused_columns=False,
            save_strategy="no",
            logging_strategy="no",
            logging_nan_inf_filter=False,  # it would wait for the GPU at every step
            report_to="none",
            disable_tqdm=True,
        )
        collator = DataCollatorForLanguageModeling(fast, mlm_probability=0.15, pad_to_multiple_of=8)
        Listening(model, how, collator, data, callbacks=[Noted()]).train()
    numbers = [float(loss) for loss in losses]
    steps_losses = [statistics.mean(numbers[first : first + parts]) for first in range(0, len(numbers), parts)]
    return steps_losses, {"parts": parts}


def turn(peer, material, batch, steps):
    """One training from the same weights, the steps after the warm-up timed."""
    clock = StepClock(min(material.sizes.warm_steps, steps - 2), steps - 1)
    counted = Counted(clock, material.sizes, material.tokenizer.get_vocab_size())
    free_memory()
    try:
        losses, more = (ours if peer == "ours" else trainers)(material, batch, steps, clock, counted)
    finally:
        plain_torch()
    seconds = clock.seconds()
    if len(losses) != steps:
        raise RuntimeError(f"{peer}: {len(losses)} losses of {steps} steps")
    return {
        "wordpieces/s": counted.wordpieces() / seconds,
        "operations/s": counted.operations() / seconds,
        "seconds a step": seconds / (clock.last - clock.first),
        "seconds before the timed steps": clock.began - clock.created,
        "GB": clock.gigabytes,
        "losses": losses,
        **more,
    }


def falls(losses):
    """Whether the last quarter's mean is below the first's."""
    quarter = max(len(losses) // 4, 1)
    return statistics.mean(losses[-quarter:]) < statistics.mean(losses[:quarter])


def measure_batch(bench, batch, ends, found):
    """Turns of both at one batch size until the time is over, two at least; one that fails takes no more part."""
    sizes, turns = bench.sizes, {peer: [] for peer in PEERS}
    steps, cost = {}, {}

    def taken(peer, number):
        try:
            return turn(peer, bench.material, batch, number)
        except Exception as error:
            bench.fail(f"{peer} at {batch}: {type(error).__name__}: {error}")
            steps.pop(peer, None)
            return None

    for peer in PEERS:
        began = time.monotonic()
        first = taken(peer, sizes.warm_steps + 4)
        if not first:
            continue
        took = time.monotonic() - began
        timed = max(round(sizes.turn_seconds / first["seconds a step"]), FEWEST_TIMED)
        steps[peer] = min(sizes.warm_steps + timed + 1, sizes.most_steps)
        cost[peer] = took + (steps[peer] - sizes.warm_steps - 4) * first["seconds a step"]
        found[f"{peer}, s to step {sizes.warm_steps + 1} of the first turn (compiling included)"] = first[
            "seconds before the timed steps"
        ]
    for number in range(FEWEST_TURNS if bench.dry else MOST_TURNS):
        peers = [peer for peer in (PEERS if number % 2 == 0 else PEERS[::-1]) if peer in steps]
        needed = sum(cost[peer] for peer in peers)
        if number and needed > (bench.left() if number < FEWEST_TURNS else ends - time.monotonic()):
            return
        for peer in peers:
            if done := taken(peer, steps[peer]):
                turns[peer].append(done)
                summarize(bench, turns, found)


def summarize(bench, turns, found):
    """What the turns so far say."""
    rates = {}
    for peer, done in turns.items():
        if not done:
            continue

        def median(name, done=done):
            return statistics.median(one[name] for one in done)

        rates[peer] = median("wordpieces/s")
        found[f"{peer}, wordpieces/s"] = rates[peer]
        if bench.matrix_rate:
            found[f"{peer}, share of the bfloat16 matrix rate"] = median("operations/s") / bench.matrix_rate
        found[f"{peer}, ms a step"] = 1000 * median("seconds a step")
        found[f"{peer}, peak GB"] = median("GB") if done[0]["GB"] else None
        found[f"{peer}, loss of the first and last step"] = [done[-1]["losses"][0], done[-1]["losses"][-1]]
        found[f"{peer}, loss falls"] = all(falls(one["losses"]) for one in done)
        if done[0].get("parts", 1) > 1:
            found[f"{peer}, parts of a step (a whole one does not fit)"] = done[0]["parts"]
        found[f"{peer}, turns"] = done
    if len(rates) == 2:
        found["ours / Trainer"] = rates["ours"] / rates["Trainer"]


def measure(bench, found):
    """The part."""
    found["formula"] = FORMULA
    part = bench.left()
    began = time.monotonic()
    for number, batch in enumerate(bench.sizes.batches):
        ends = began + part * (SHARE_OF_FIRST_BATCH if number == 0 else 1)
        inner = found[f"{batch} sequences a step"] = {}
        measure_batch(bench, batch, ends, inner)
    for name, inner in found.items():
        for peer in PEERS:
            if name != "formula" and inner.get(f"{peer}, loss falls") is False:
                bench.fail(f"{name}: the loss of {peer} does not fall")


def pretraining_job(job):
    """A pretraining within a worker: seconds a step, losses, and a hash of the weights that it ends with."""
    material = Material(Path(job["folder"]), Path(job["work"]), TOY if job["toy"] else Sizes())
    settings = material.pretraining(job["batch"], job["steps"], deterministic=job["deterministic"])
    model = material.model(on())
    adapter.seed(1, settings.threads, job["deterministic"])
    clock = StepClock(2, job["steps"] - 1)
    train, valid, *_ = material.text
    losses, _ = adapter.pretrain(model, material.tokenizer, train, valid, settings, note=lambda *_: clock.note())
    return {
        "seconds a step": clock.seconds() / (clock.last - clock.first),
        "losses": losses,
        "digest": adapter.digest_of(model),
    }
