"""Pretraining beside `transformers.Trainer`: wordpieces a second, peak memory, and the loss curve of a small model.

    python benchmarks/pretraining.py speed [--precision bfloat16] [--pairs 5] [--steps 3] [--batch 8]
    python benchmarks/pretraining.py curve

Both train BERT-base with a vocabulary of mBERT's size on the same examples of 128 wordpieces, in processes of their own
that take turns. The Trainer has its defaults (fused AdamW, scaled dot-product attention) and
`DataCollatorForLanguageModeling`. The weights are random: no time depends on what a model knows. The curve is that of a
small model on a text with something to learn, for several seeds, from the same weights.
"""

import argparse
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DataCollatorForLanguageModeling,
    PreTrainedTokenizerFast,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from specialize.bases.architectures import architecture_of
from specialize.pretraining.masked_text import NO_SLICE, MaskedText
from specialize.pretraining.pretrain import EPSILON, masked_loss
from specialize.pretraining.settings import PretrainingSettings
from specialize.training.devices import seed_everything
from specialize.training.loop import fit
from specialize.training.optimizer import AdamW, decayed_groups, linear_schedule
from specialize.vocabularies import SPECIAL_TOKENS, bert_tokenizer

MBERT_PIECES = 119_547
WARM_UP = 2
PEERS = ("transformers.Trainer", "specialize")


class Clock:
    """Notes when each step begins and the last one ends, and how long the optimizer takes."""

    def __init__(self):
        self.times, self.optimizer = [], []
        step = torch.optim.AdamW.step

        def timed(optimizer, *arguments):
            began = time.perf_counter()
            result = step(optimizer, *arguments)
            self.optimizer.append(time.perf_counter() - began)
            return result

        torch.optim.AdamW.step = timed

    def note(self):
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.times.append(time.perf_counter())


def settings_of(arguments, steps):
    return PretrainingSettings(
        seed=arguments.seed,
        threads=arguments.threads,
        epochs=1,
        steps_per_epoch=steps,
        validation_sentences=None,
        batch_size=arguments.batch,
        sequence_length=128,
        copies=1,
        masked_probability=0.15,
        max_predictions=20,
        short_sequence_probability=0.0,
        learning_rate=arguments.learning_rate,
        warmup_steps=10,
        weight_decay=0.01,
        gradient_norm=1.0,
        bias_correction=True,
        examples="articles",
        masking="static",
        tiering="rows",
        precision=arguments.precision,
        deterministic=False,
        initialisation="slot",
        augmented=False,
        tiered=False,
    )


def ours(model, tokenizer, examples, arguments, steps, clock):
    """Our loss, optimizer and loop; returns the loss of each step."""
    settings = settings_of(arguments, steps)
    seed_everything(arguments.seed, arguments.seed, arguments.seed, arguments.threads)  # deterministic, as in a job
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    width = examples.shape[1]
    slices = [((start * width, (start + 1) * width), NO_SLICE) for start in range(len(examples))]
    text = MaskedText(examples.reshape(-1), slices, tokenizer, settings)

    class Noted:
        steps, tensors = text.steps, text.tensors

        def epoch(self, number):
            for batch in text.epoch(number):
                clock.note()
                yield batch
            clock.note()

    losses = []

    def loss_of(batch):
        loss = masked_loss(model, batch, settings.precision)
        losses.append(loss.detach())
        return loss

    undecayed = architecture_of(model.config).undecayed(model)
    groups = decayed_groups(model, settings.learning_rate, settings.weight_decay, undecayed)
    optimizer = AdamW(groups, EPSILON, True)
    schedule = linear_schedule(optimizer, settings.warmup_steps, steps)
    score = {"score": 0.0}
    fit(model, optimizer, schedule, Noted(), loss_of, lambda: score, score="score", epochs=1, gradient_norm=1.0)
    return [float(loss) for loss in losses]


def theirs(model, tokenizer, examples, arguments, steps, clock):
    """The same by `transformers.Trainer`."""
    names = {
        name: f"[{name[:-6].upper()}]" for name in ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    }
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    data = [{"input_ids": [cls, *example, sep]} for example in examples.tolist()]
    losses = []

    class Noted(TrainerCallback):
        def on_step_begin(self, *_, **__):
            clock.note()

        def on_train_end(self, *_, **__):
            clock.note()

    class Listening(Trainer):
        def compute_loss(self, *given, **named):
            loss = super().compute_loss(*given, **named)
            losses.append(loss.detach())
            return loss

    with tempfile.TemporaryDirectory() as folder:
        how = TrainingArguments(
            folder,
            max_steps=steps,
            per_device_train_batch_size=arguments.batch,
            learning_rate=arguments.learning_rate,
            warmup_steps=10,
            weight_decay=0.01,
            adam_epsilon=EPSILON,
            max_grad_norm=1.0,
            bf16=arguments.precision == "bfloat16",
            seed=arguments.seed,
            use_cpu=not torch.cuda.is_available(),
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        collator = DataCollatorForLanguageModeling(fast, mlm_probability=0.15, seed=arguments.seed)
        Listening(model, how, collator, data, callbacks=[Noted()]).train()
    return [float(loss) for loss in losses]


def numbered_pieces(number):
    """A WordPiece tokenizer of so many made-up pieces."""
    pieces = [*SPECIAL_TOKENS, *(f"piece{number}" for number in range(len(SPECIAL_TOKENS), number))]
    return bert_tokenizer({piece: number for number, piece in enumerate(pieces)})


def repeating_text(pieces, examples, length):
    """Pieces of which each decides the next one three times out of four."""
    generator = numpy.random.default_rng(1)
    following = generator.integers(len(SPECIAL_TOKENS), pieces, pieces)
    text = numpy.zeros((examples, length), dtype=numpy.int32)
    text[:, 0] = generator.integers(len(SPECIAL_TOKENS), pieces, examples)
    for place in range(1, length):
        free = generator.integers(len(SPECIAL_TOKENS), pieces, examples)
        text[:, place] = numpy.where(generator.random(examples) < 0.75, following[text[:, place - 1]], free)
    return text


def run(arguments):
    """One training, in this process; prints what was measured as JSON."""
    torch.set_num_threads(arguments.threads)
    set_seed(0)
    if arguments.what == "speed":
        pieces, config, steps = MBERT_PIECES, {}, WARM_UP + arguments.steps
    else:
        sizes = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 256}
        pieces, config, steps = 300, sizes, arguments.steps
    model = BertForMaskedLM(BertConfig(vocab_size=pieces, **config))
    set_seed(arguments.seed)
    examples = repeating_text(pieces, steps * arguments.batch, 126)
    clock = Clock()
    work = ours if arguments.peer == "specialize" else theirs
    losses = work(model, numbered_pieces(pieces), examples, arguments, steps, clock)
    seconds = clock.times[-1] - clock.times[-1 - arguments.steps]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    if torch.cuda.is_available():
        peak = torch.cuda.max_memory_allocated() / 1e9
    measured = {
        "wordpieces_per_second": arguments.steps * arguments.batch * 128 / seconds,
        "gigabytes": peak,
        "optimizer_share": sum(clock.optimizer[-arguments.steps :]) / seconds,
        "losses": losses,
    }
    print(json.dumps(measured))


def measured_apart(arguments, peer, **changes):
    """What `run` measures, in a process of its own."""
    values = {**vars(arguments), "peer": peer, **changes}
    options = [f"--{name.replace('_', '-')}={value}" for name, value in values.items() if name not in ("what", "pairs")]
    command = [sys.executable, __file__, arguments.what, *options]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(finished.stdout.splitlines()[-1])


def machine():
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    bfloat16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}, bfloat16 in hardware: {bfloat16}"


def operations(batch):
    """Matrix operations of one training step of BERT-base, with the output layer at 19 of 128 places."""
    layers, width, length = 12, 768, 128
    places = 19 * batch
    encoder = batch * length * (12 * layers * width**2 + 2 * layers * width * length)
    return 6 * (encoder + places * (MBERT_PIECES * width + width**2))


def speed(arguments):
    print(f"{machine()}; {arguments.threads} threads; {arguments.precision}; batch {arguments.batch} × 128")
    results = {peer: [] for peer in PEERS}
    for pair in range(arguments.pairs):
        for peer in PEERS if pair % 2 == 0 else PEERS[::-1]:
            results[peer].append(measured_apart(arguments, peer))
            figures = results[peer][-1]
            print(
                f"  {peer}: {figures['wordpieces_per_second']:.0f} wordpieces/s, {figures['gigabytes']:.1f} GB, "
                f"optimizer {figures['optimizer_share']:.0%}",
                flush=True,
            )
    rates = {peer: [figures["wordpieces_per_second"] for figures in found] for peer, found in results.items()}
    ratios = [mine / peer for peer, mine in zip(*rates.values(), strict=True)]
    for peer, found in results.items():
        median = statistics.median(rates[peer])
        print(
            f"{peer}: median {median:.0f} wordpieces/s, {statistics.median(f['gigabytes'] for f in found):.1f} GB, "
            f"optimizer {statistics.median(f['optimizer_share'] for f in found):.0%}"
        )
    pace = statistics.median(rates["specialize"]) / (arguments.batch * 128) * operations(arguments.batch)
    print(f"specialize does {pace / 1e12:.2f} × 10^12 matrix operations a second")
    print(f"ratio: median {statistics.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")


def curve(arguments):
    part = arguments.steps // 4
    print(f"mean loss of each quarter of {arguments.steps} steps, mean ± standard deviation over seeds")
    for peer in PEERS:
        seeds = [measured_apart(arguments, peer, seed=seed)["losses"] for seed in range(1, arguments.pairs + 1)]
        quarters = numpy.asarray(seeds).reshape(len(seeds), 4, part).mean(axis=2)
        print(f"{peer}: " + ", ".join(f"{quarter.mean():.3f} ± {quarter.std(ddof=1):.3f}" for quarter in quarters.T))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "curve"])
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--pairs", type=int, default=5, help="of processes; for the curve, seeds")
    parser.add_argument("--steps", type=int, help="timed steps of each process")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peer", choices=PEERS, help="measure this one in this process")
    arguments = parser.parse_args()
    defaults = (3, 8, 2e-5) if arguments.what == "speed" else (200, 16, 3e-3)
    for name, value in zip(("steps", "batch", "learning_rate"), defaults, strict=True):
        setattr(arguments, name, getattr(arguments, name) or value)
    if arguments.peer:
        run(arguments)
    else:
        {"speed": speed, "curve": curve}[arguments.what](arguments)


if __name__ == "__main__":
    main()
