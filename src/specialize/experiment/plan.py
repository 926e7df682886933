"""What a run is about to do: cells, downloads, disk, estimated hours."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable
from dataclasses import asdict
from pathlib import Path

from specialize import sources
from specialize.errors import ConfigError, DownloadError, SpecializeError
from specialize.experiment import Experiment, Language
from specialize.experiment.costs import BYTES_PER_PARAMETER, Costs, Job, jobs_to_do, transformer
from specialize.experiment.curve import SMALLEST_SHARE, Curve
from specialize.experiment.machine import Machine, counted, gpu_names, torch_is_for_cpus
from specialize.experiment.speeds import Shape
from specialize.experiment.yaml_files import Revision, dates_to_resolve, revisions_to_pin
from specialize.files import atomic_text, read_text

LONGEST_WITHOUT_GPU = 48  # hours
BYTES_IN_CHECKPOINT = 16  # a parameter: weights, best weights and two moments
TEXT_BYTES_ON_DISK = 10  # a token, of cleaned text
LONGEST_MEASUREMENT = 300  # seconds; then speeds stay assumed


def sources_of(language: Language) -> list[sources.Source | sources.Publication]:
    """The files that a language's data are downloaded from, or the data sets; none for data of one's own."""
    corpus, treebank, entities = (language.entry.get(key, {}) for key in ("corpus", "treebank", "ner"))
    found: list[sources.Source | sources.Publication] = []
    if "wikipedia" in corpus and not language.has_own_text:
        found.append(sources.wikipedia_dump(corpus["wikipedia"], corpus["date"], corpus.get("sha256")))
    for origin in (sources.treebank_origin(treebank), sources.entities_origin(entities)):
        if isinstance(origin, sources.Publication):
            found.append(origin)
        else:
            found += (origin or {}).values()
    return found


def _check_models_of_mirror(experiment: Experiment, mirror: str, names: Iterable[str]) -> None:
    """Refuse base models that a mirror on this machine lacks, before jobs fail one after the other."""
    for name in names:
        if not Path(mirror, "models", name).is_dir():
            there = sources.what_a_mirror_has(f"models/{name}", mirror)
            raise ConfigError(
                f"{experiment.place(['base_models', name])}: with mirror, base models come from it too, and {there}; "
                f"put {name} there, or choose one that is, at the top level of your file: base_model: NAME, "
                "base_models: {NAME: {mirror: true}}"
            )


def _unused_languages(experiment: Experiment) -> list[str]:
    """Languages that a file of one's own has, and of which the run needs nothing."""
    needed = {language.tag for language in experiment.needed_languages}
    tags = [tag for tag in experiment.config["languages"] if tag not in needed]
    return [tag for tag in tags if experiment.files.last_source(["languages", tag]) > 0]  # the first is the package's


def _untested(experiment: Experiment) -> list[str]:
    """Languages of the grid whose labeled data, if there are any, allow none of its regimes."""
    regimes = experiment.config["experiment"]["regimes"]
    tested = {language.tag for language in experiment.grid_languages if any(map(language.has_regime, regimes))}
    return [language.tag for language in experiment.grid_languages if language.tag not in tested]


def measure_speeds(experiment: Experiment, outputs: Collection[str] | None = None) -> None:
    """Have the speeds measured that a start needs and that are not kept yet, in a process of its own: this one, which
    goes on for days, shall not load torch. Where torch cannot be loaded or nothing be kept, speeds stay assumed.

    Args:
        experiment: the configuration.
        outputs: files that the training jobs make; those of the whole grid if None.
    """
    shapes = {work.shape for job in jobs_to_do(Costs(experiment), outputs) for work in job.works}
    missing = Machine.here().unmeasured(sorted(shapes))
    if not missing:
        return
    print(f"measuring how fast this machine trains: {counted(len(missing), 'kind')} of model …", file=sys.stderr)
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    try:
        subprocess.run(
            [sys.executable, "-m", "specialize.reports.measurement"],
            input=json.dumps([asdict(shape) for shape in missing]),
            text=True,
            capture_output=True,
            timeout=LONGEST_MEASUREMENT,
            env={**os.environ, "PYTHONPATH": path},
            check=True,
        )
    except subprocess.TimeoutExpired:
        print(f"stopped measuring after {LONGEST_MEASUREMENT} seconds; speeds stay assumed", file=sys.stderr)
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.splitlines() or ["it was killed"])[-1]
        print(f"could not measure how fast this machine trains: {reason}; speeds stay assumed", file=sys.stderr)


def forecast(
    experiment: Experiment,
    on_cluster: bool,
    outputs: Collection[str] | None = None,
    cores: int | None = None,
    dry_run: bool = False,
    gpus: int | None = None,
) -> str:
    """What a run will do, in a few lines.

    Args:
        experiment: the configuration.
        on_cluster: jobs go elsewhere, so that the GPU of this machine does not matter.
        outputs: files of the training jobs that are left to do; all jobs of the grid if None.
        cores: that may be used at a time; all if None.
        dry_run: ask no network, and refuse nothing.
        gpus: of this machine that may be used at a time; all if None.

    Raises:
        ConfigError: if it would take days on this machine, which has no GPU, or a job asks for more GPUs than it has,
            and `allow_cpu` is not set.
        SpecializeError: if the disk has too little room.
    """
    cells = experiment.cells
    missing = [
        source
        for source in dict.fromkeys(
            source for language in experiment.needed_languages for source in sources_of(language)
        )
        if not Path(source.destination).exists()
    ]
    mirror = experiment.config["mirror"]
    remote = not mirror or "://" in mirror
    ask = bool(missing) and not (dry_run and remote)
    size, is_all = sources.upstream_bytes(missing, mirror) if ask else (0, not missing)
    costs = Costs(experiment)
    jobs = jobs_to_do(costs, outputs)
    most_gpus = max((job.gpus for job in jobs), default=1)
    machine = Machine.with_a_gpu(most_gpus) if on_cluster else Machine.here(cores, gpus)
    if most_gpus > max(machine.gpus, 1) and not dry_run and not experiment.config["allow_cpu"]:
        raise ConfigError(
            f"pretraining.gpus is {most_gpus}, but this machine has {counted(machine.gpus, 'GPU')} for it: lower it, "
            "use a cluster (--profile slurm), or --config allow_cpu=true to pretrain in one process"
        )
    hours = machine.hours(jobs)
    written = bytes_to_be_written(experiment, outputs)
    disk = size + sum(written.values())
    if not dry_run:
        check_room(Path(), disk)
    models = experiment.config["base_models"]
    fetched = {
        name: f"{models[name].get('hub') if not mirror else name} (about "
        f"{bytes_in_words(written[experiment.base_folder(name)])})"
        for name in experiment.base_models_used
        if models[name].keys() & {"hub", "mirror"} and experiment.base_folder(name) in written
    }
    if mirror and not remote and not dry_run:
        _check_models_of_mirror(experiment, mirror, fetched)
    languages = len({cell.language for cell in cells})
    place = counted(machine.gpus, "GPU") if machine.gpus else f"{counted(machine.cores, 'core')} without a GPU"
    if not on_cluster and torch_is_for_cpus() and gpu_names():
        place += " (there is one, but this torch is built for CPUs; pytorch.org says which is for it)"
    lines = [
        f"{counted(len(cells), 'finetuning job')} over {counted(languages, 'language')}",
        *_of_the_curve(costs.curve, jobs),
        f"downloads: {counted(len(missing), 'file')}, {_size_in_words(size, is_all)}"
        + (f", from {mirror}" if mirror else "")
        + (f"; base model {', '.join(fetched.values())}" if fetched else ""),
        f"disk: about {bytes_in_words(disk)} more",
        f"estimated on {place}: {machine.in_words(jobs)}",
    ]
    if jobs:
        shapes = {work.shape for job in jobs for work in job.works}
        lines[-1] += (
            f", for {counted(len(jobs), 'training job')}; {_how_known(experiment, machine, shapes, on_cluster)}"
        )
    if untested := _untested(experiment):
        lines.append(
            f"Warning: nothing will test the models of {', '.join(untested)}: there are no labeled data there for "
            f"{', '.join(experiment.config['experiment']['regimes'])}"
        )
    lines += [
        f"Warning: {experiment.place(['languages', tag])} is not in experiment.languages, so nothing of it runs"
        for tag in _unused_languages(experiment)
    ]
    refused = not dry_run and not machine.gpus and hours > LONGEST_WITHOUT_GPU
    if refused and not experiment.config["allow_cpu"]:
        raise ConfigError(
            "; ".join(lines)
            + ". This machine has no GPU: use a cluster (--profile slurm), a smaller grid, or --config allow_cpu=true"
        )
    return "\n".join(lines)


def _of_the_curve(curve: Curve, jobs: Collection[Job]) -> list[str]:
    """What a plan says of the learning curve, if it is planned."""
    planned = len({cell.folder for cell in curve.cells} & {job.folder for job in jobs})
    if not planned:
        return []
    line = f"of the learning curve {counted(planned, 'finetuning job')} on shares of the training sentences"
    if curve.left_out:
        line += f"; left out, being fewer than {SMALLEST_SHARE} sentences: {'; '.join(curve.left_out)}"
    if curve.unknown:
        line += f"; sizes are not known yet of {', '.join(curve.unknown)}: run the target datasets first"
    return [line]


def bytes_to_be_written(
    experiment: Experiment, outputs: Collection[str] | None = None, run: Path = Path()
) -> dict[str, int]:
    """Bytes that a run will write, about, downloads not among them: by the folder of each result, and `checkpoints`.

    Args:
        experiment: the configuration.
        outputs: files of the jobs that are to run; all jobs of the grid if None.
        run: the run's folder. Models that lie there already are written again only if they are among the outputs.
    """
    costs = Costs(experiment, run)
    jobs = jobs_to_do(costs, outputs)
    written = {job.folder: job.bytes for job in jobs if outputs is not None or not (run / job.folder).exists()}
    for language in experiment.needed_languages:
        folder = f"results/corpora/{language.tag}"
        if language.has_corpus and not (run / folder).exists():
            written[folder] = int(costs.sizes.expected_tokens(language) * TEXT_BYTES_ON_DISK)
    for name in experiment.base_models_used:
        folder = experiment.base_folder(name)
        if not experiment.pretrained_here(name) and not (run / folder).exists():
            base = transformer("masked", costs.base_sizes(name), 1, "float32")
            written[folder] = base.parameters() * BYTES_PER_PARAMETER
    training = [work.shape.parameters() for job in jobs for work in job.works]
    written["checkpoints"] = BYTES_IN_CHECKPOINT * max(training, default=0)  # each while its job lasts
    return dict(sorted(written.items()))


def check_room(folder: Path, needed: int) -> None:
    """Refuse to begin what would not fit the disk.

    Args:
        folder: the run's directory.
        needed: bytes that are going to be written.

    Raises:
        SpecializeError: with how much room there is.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise SpecializeError(
            f"{folder.absolute()}: what is to be made takes about {bytes_in_words(needed)}, and the disk has "
            f"{bytes_in_words(free)} left; make room, give a --directory on another disk, or a smaller grid "
            "(keep_models takes most)"
        )


def _how_known(experiment: Experiment, machine: Machine, shapes: Collection[Shape], on_cluster: bool) -> str:
    """Where the speeds of a forecast are from, and how to measure them."""
    if on_cluster:
        return f"at an assumed speed of {'each' if machine.gpus > 1 else 'one'} data-centre GPU"
    missing = machine.unmeasured(shapes)
    if not missing:
        return "at speeds measured here"
    files = " ".join(map(shlex.quote, map(str, experiment.files.paths)))
    command = f".venv/bin/python -m specialize measure {files}"
    if experiment.config["mirror"]:
        command += f" --mirror {shlex.quote(experiment.config['mirror'])}"
    part = f"{len(missing)} of {len(shapes)} speeds are" if len(missing) < len(shapes) else "the speed is"
    return f"{part} assumed: a start measures it first, and so does {command}"


def bytes_in_words(number: float) -> str:
    """A size for people."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:,.0f} {unit}"
        number /= 1000
    return f"{number:,.1f} TB"


def _size_in_words(size: int, is_all: bool) -> str:
    """How many bytes are downloaded, of which not all need be known."""
    if is_all:
        return bytes_in_words(size)
    return f"at least {bytes_in_words(size)}" if size else "size unknown"


def resolve_dates(path: Path, mirror: str | None) -> dict[str, str]:
    """Write the date of the newest finished dump into a configuration file, wherever it says `latest`.

    Nothing else in the file changes. Returns the dates by tag.

    Raises:
        ConfigError: if the file is not a configuration.
        DownloadError: if the date cannot be learned.
    """
    resolved: dict[str, str] = {}
    text = read_text(path)
    for tag, code, start, end in sorted(dates_to_resolve(path), key=lambda found: -found[2]):
        resolved[tag] = sources.latest_dump(code, mirror)
        text = f'{text[:start]}"{resolved[tag]}"{text[end:]}'
    if resolved:
        with atomic_text(path) as stream:
            stream.write(text)
    return dict(sorted(resolved.items()))


def pin_revisions(path: Path) -> list[tuple[Revision, str]]:
    """Write commits into a configuration file, wherever it has a branch or tag for a base model's revision.

    Nothing else in the file changes, and nothing at all if one cannot be learned.

    Returns:
        What stood there, and the commit that stands there now.

    Raises:
        ConfigError: if the file is not a configuration.
        DownloadError: if a commit cannot be learned, with file and line.
    """
    found, commits = revisions_to_pin(path), {}
    for one in found:
        if (one.hub, one.revision) not in commits:
            try:
                commits[one.hub, one.revision] = sources.commit_on_the_hub(one.hub, one.revision)
            except SpecializeError as error:
                raise DownloadError(
                    f"{path}, line {one.line}: base_models.{one.name}: {error}; or write a commit there yourself: the "
                    "model's page on the hub shows them under Files and versions, History"
                ) from error
    text = read_text(path)
    for one in reversed(found):
        text = f'{text[: one.start]}"{commits[one.hub, one.revision]}"{text[one.end :]}'
    if found:
        with atomic_text(path) as stream:
            stream.write(text)
    return [(one, commits[one.hub, one.revision]) for one in found]
