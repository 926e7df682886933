# What all rules share: the checked experiment, and the paths that more than one rule names. No rules.
import atexit
import contextlib
import signal
import sys

from snakemake.exceptions import WorkflowError

CHECKOUT = Path(workflow.current_basedir).parents[1]
RUN = Path.cwd()
sys.path.insert(0, str(CHECKOUT / "src"))
if "specialize" in sys.modules and not Path(sys.modules["specialize"].__file__).samefile(
    CHECKOUT / "src/specialize/__init__.py"
):
    # The default profile has looked at the command line with the installed package, which is another than this one.
    for name in [name for name in sys.modules if name.partition(".")[0] == "specialize"]:
        del sys.modules[name]

from specialize import sources
from specialize.bases.folder import files_in
from specialize.cluster.groups import run_group_at_once
from specialize.cluster.queue import wait_for_left_over_jobs
from specialize.datasets import PARTS, check_prepared
from specialize.errors import SpecializeError
from specialize.files import checksum_of_parts
from specialize.experiment import MULTI_TASK_REGIMES, REGIMES, TASKS, Cell, Experiment
from specialize.experiment.command_line import check_command_line, is_snakemake
from specialize.experiment.copied_run import put_back_times
from specialize.experiment.curve import check_curve, curve_inputs, curve_of
from specialize.experiment.machine import gpus_here
from specialize.experiment.plan import forecast, measure_speeds, sources_of
from specialize.experiment.surroundings import check_modified_paths, check_paths, check_sections, check_slurm
from specialize.experiment.treebanks import learned_tasks
from specialize.experiment.versions import STAGE_VERSIONS, Rerun, check_versions
from specialize.run_command import record_command

if not workflow.is_main_process:
    run_group_at_once()
    signal.signal(
        signal.SIGUSR1, signal.SIG_IGN
    )  # a site's early warning is meant for the script, which saves and ends

# `workflow.nodes` is set only by cluster executors.
ON_CLUSTER = workflow.is_main_process and workflow.nodes is not None
own_files = workflow.overwrite_configfiles
try:
    if workflow.is_main_process:
        if is_snakemake(sys.argv[0]):
            check_command_line(sys.argv[1:])
        check_paths(
            sys.executable,
            CHECKOUT,
            Path.cwd(),
            ON_CLUSTER,
            own_python=not workflow.deployment_settings.deployment_method,
        )
        check_modified_paths(workflow.modifier.modify_path)
    check_sections(
        config,
        CHECKOUT / "config/config.yaml",
        in_module=workflow.modifier.parent_modifier is not None,
        replaced=workflow.config_settings.replace_workflow_config,
    )
    experiment = Experiment(
        config,
        [*(file for file in workflow.configfiles if file not in own_files), *own_files],
        workflow.config_settings.config,
    )
except SpecializeError as error:
    raise WorkflowError(str(error)) from None
if ON_CLUSTER and not workflow.output_settings.dryrun and not any(Path(".snakemake/locks").glob("*")):
    # Wait before anything is planned, so that what they finish counts. A locked folder is refused by Snakemake itself.
    try:
        wait_for_left_over_jobs(Path.cwd())
    except SpecializeError as error:
        raise WorkflowError(str(error)) from None
if workflow.is_main_process and not any(Path(".snakemake/locks").glob("*")):
    if results := put_back_times(Path.cwd()):
        print(
            f"This run was copied without the times of its files: those of {results:,} results are put back, "
            "lest they are made again.",
            file=sys.stderr,
        )
config.update(experiment.config)  # scripts read it; numbers and switches of a command line are text until here

# The GPU that a training job asks for. Grouped jobs add up numbers, but share a text that they have in common.
SHARES_GPU = experiment.config["jobs_per_gpu"] > 1 and (ON_CLUSTER or not workflow.is_main_process)
GPU = {"gres": "gpu:1"} if SHARES_GPU else {"gpu": 1}
if workflow.is_main_process and not ON_CLUSTER and "gpu" not in workflow.global_resources and gpus_here():
    workflow.register_resource("gpu", gpus_here() * experiment.config["jobs_per_gpu"])
# Dumps that are downloaded at a time, as Wikimedia asks; in a profile, --resources for something else would undo it.
if workflow.is_main_process and "wikimedia" not in workflow.global_resources:
    workflow.register_resource("wikimedia", 2)

CONLLU = {part: f"{part}.conllu" for part in PARTS}
IOB2 = {part: f"{part}.tsv" for part in PARTS}
MASAKHANE = {part: f"{part}.txt" for part in PARTS}
CORPUS_FILES = ("train.txt", "valid.txt", "test.txt", "statistics.json")
SCRIPTS = "../../scripts"
# How the names of rules begin that train for long; static vectors take minutes.
TRAINING_RULES = {"pretraining": ("adapt", "pretrain_"), "finetuning": ("finetune",)}


def one_of(names):
    """A wildcard pattern that matches exactly these names, of which one may be empty; nothing if there are none."""
    patterns = [re.escape(name) or "(?:)" for name in names]  # Snakemake takes an empty pattern for any name
    return "|".join(patterns) or "(?!)"


wildcard_constraints:
    language=one_of(experiment.languages),
    representation=one_of(experiment.representations),
    regime=one_of(REGIMES),
    seed=one_of(experiment.config["finetuning"]["seeds"]),
    # A folder of its own, with its slash, where data are divided more than once.
    split=one_of(
        sorted(
            {
                f"{one.split}/" if one.split else ""
                for cell in experiment.cells
                for one in [cell, *map(cell.with_share, experiment.config["curve"]["shares"])]
            }
        )
        or [""]
    ),
    base_model=one_of(experiment.config["base_models"]),


def entry(wildcards):
    """The registry entry of a path's language."""
    return experiment.languages[wildcards.language].entry


def original(wildcards):
    """The language that a transliterated twin is made from."""
    return experiment.languages[wildcards.language].original


def cell_of(wildcards):
    """The cell that a path of finetuning names."""
    return Cell(**{**wildcards, "split": wildcards.split.rstrip("/")})


def labeled_files_of_cell(wildcards):
    """Labeled data of the tasks of a cell."""
    language, cell = experiment.languages[wildcards.language], cell_of(wildcards)
    return language.labeled_files(language.tasks_of(cell.regime), split=cell.data)


def labeled_files(language, tasks=TASKS, parts=PARTS):
    """Labeled data of a language for these tasks; see `Language.labeled_files`."""
    return experiment.languages[language].labeled_files(tasks, parts)


def labeled_files_of_splits(language):
    """All labeled data of a language, and all that its jobs read."""
    known, cells = experiment.languages[language], [cell for cell in experiment.cells if cell.language == language]
    read = [path for cell in cells for path in known.labeled_files(known.tasks_of(cell.regime), split=cell.split)]
    return list(dict.fromkeys([*labeled_files(language), *read]))


def corpus_files(language):
    """Unlabeled text of a language, if it has any."""
    if not experiment.languages[language].has_corpus:
        return []
    return [f"results/corpora/{language}/{name}" for name in CORPUS_FILES]


def growing(amount, times=lambda wildcards: 1):
    """A resource that grows with each attempt, to three times as much at most, and with what a job has so many of.

    Jobs that a short time limit ends again and again resume from their checkpoint, and need no more each time.
    """
    return lambda wildcards, attempt: amount * min(attempt, 3) * times(wildcards)


def gpus(wildcards):
    """The GPUs of a pretraining job, with a process for each."""
    if hasattr(wildcards, "base_model"):
        return experiment.base_pretraining(wildcards.base_model).gpus
    return experiment.pretraining(wildcards.representation).gpus


def gpus_on_one_node():
    """What a pretraining job asks for; `--gpus` alone could give it some on each of several nodes."""
    number = {"gres": lambda wildcards: f"gpu:{gpus(wildcards)}"} if SHARES_GPU else {"gpu": gpus}
    return {**number, "nodes": lambda wildcards: 1 if gpus(wildcards) > 1 else None}


def pinned(section, **keys):
    """The hashes that the registry pins for a source, known by these keys of its entry."""
    return sources.pinned([language.entry.get(section, {}) for language in experiment.languages.values()], keys)


def treebank_sources(wildcards):
    """The published or own files of a treebank, by part, or the list of them as `files`; all that there are of
    cross-validated ones."""
    treebank = entry(wildcards)["treebank"]
    if "folder" in treebank:
        files = {part: f"{treebank['folder']}/{part}.conllu" for part in PARTS}
        return {part: path for part, path in files.items() if "folds" not in treebank or Path(path).exists()}
    return sources.places_in_run(sources.treebank_origin(treebank))


def entity_sources(wildcards):
    """WikiAnn's archive, other published or own files by part, or the list of them as `files`."""
    entities = entry(wildcards)["ner"]
    if "folder" in entities:
        files = sources.entity_files(Path(entities["folder"]))
        return {part: paths[0] for part, paths in files.items() if paths}
    return sources.places_in_run(sources.entities_origin(entities))


def with_task(*tasks, twins):
    """A wildcard pattern: the languages (or twins) that have one of the tasks, without cross-validation."""
    return with_folds(0, *tasks, twins=twins)


def with_folds(number, *tasks, twins):
    """A wildcard pattern: the languages (or twins) that have one of the tasks, in so many folds."""
    return one_of(
        tag
        for tag, language in experiment.languages.items()
        if bool(language.original) == twins
        and any(language.folds(task) == number for task in tasks if task in language.tasks)
    )


def treebank_folds(number):
    """The files of a cross-validated treebank."""
    names = ["all.conllu", *(f"fold{fold + 1}/{name}" for fold in range(number) for name in CONLLU.values())]
    return [f"results/datasets/{{language}}/{name}" for name in names]


def entity_folds(number):
    """The files of cross-validated named entities."""
    names = ["ner/all.tsv", *(f"fold{fold + 1}/ner/{name}" for fold in range(number) for name in IOB2.values())]
    return [f"results/datasets/{{language}}/{name}" for name in names]


def folds_of_treebank(number):
    """The test parts of a language's treebank, if it has so many folds, too."""
    tests = [pattern for pattern in treebank_folds(number) if pattern.endswith(CONLLU["test"])]
    return lambda wildcards: [
        pattern.format(language=wildcards.language)
        for pattern in tests
        if experiment.languages[wildcards.language].folds("pos") == number
    ]


def of_original(patterns):
    """The same files of the language that a transliterated twin is made from."""
    return lambda wildcards: [pattern.format(language=original(wildcards)) for pattern in patterns]


def fold_seed(data):
    """The seed of a rule that deals sentences to folds; `data` is the key of the language's entry."""
    return lambda wildcards: entry(wildcards)[data].get("fold_seed", 1)


def raw_text(wildcards):
    """The dump or the files of own text of a language."""
    corpus = entry(wildcards)["corpus"]
    if experiment.languages[wildcards.language].has_own_text:
        return [str(path) for path in sources.own_files(corpus.get("text", corpus.get("dump")))]
    return sources.wikipedia_dump(corpus["wikipedia"], corpus["date"]).destination


def how_text_is_read(wildcards):
    """What an entry says of its text's format, beside the files themselves."""
    corpus = entry(wildcards)["corpus"]
    return {key: corpus[key] for key in ("format", "field") if key in corpus} | {"dump": "text" not in corpus}


def with_corpus(twins):
    """A wildcard pattern: the languages (or twins) that have text."""
    return one_of(
        tag
        for tag, language in experiment.languages.items()
        if bool(language.original) == twins and language.has_corpus
    )


def with_method(*methods):
    """A wildcard pattern: the representations of these methods."""
    return one_of(name for name, entry in experiment.representations.items() if entry.method in methods)


def own_model(wildcards):
    """The files of a base model of one's own; none of one that is fetched."""
    folder = experiment.config["base_models"][wildcards.base_model].get("folder")
    return files_in(Path(folder)) if folder else []


def own_model_content(wildcards):
    """The same by content: weights that were touched or copied are no other ones, and adapting takes days."""
    return {path.name: checksum_of_parts(path) for path in own_model(wildcards)}


def own_tokenizer(wildcards):
    """The tokenizer of one's own that a base model takes which the run pretrains; none if it learns one."""
    folder = experiment.config["base_models"][wildcards.base_model]["pretrain"].get("tokenizer")
    return [f"{folder}/tokenizer.json"] if folder else []


def parameters_if_any(settings):
    """A rule's parameters of settings that a job may not have."""
    return settings.job_parameters() if settings else None


def how_pieces_are_chosen(representation):
    """A rule's parameters of new pieces, if there are any; augmenting leaves no trace."""
    chosen = parameters_if_any(experiment.piece_choice(representation))
    growth = experiment.representations[representation].growth
    return chosen if growth == "augment" else chosen | {"growth": growth}


def base_of(wildcards):
    """The base model of a representation."""
    folder = experiment.base_folder(experiment.representations[wildcards.representation].base_model)
    return {"config": f"{folder}/config.json", "weights": f"{folder}/model.safetensors"}


def word_list_of(wildcards):
    """The bilingual word list that new pieces start by, if they do; a twin's is transliterated."""
    settings = experiment.pretraining(wildcards.representation)
    if not (settings.augmented and settings.initialisation == "dictionary"):
        return {}
    path = entry(wildcards)["dictionary"]
    return {"word_list": f"results/corpora/{wildcards.language}/dictionary.tsv" if original(wildcards) else path}


def other_texts(wildcards):
    """The training texts of the other languages that a model learns from, if any."""
    return [f"results/corpora/{tag}/train.txt" for tag in experiment.other_texts(**wildcards)]


def untrimmed(wildcards):
    """The representation that a trimmed one is of."""
    return experiment.representations[wildcards.representation].of


def model_of(wildcards):
    """The model that a trimmed one is made from."""
    folder = experiment.encoder_folder(wildcards.language, untrimmed(wildcards))
    return {"config": f"{folder}/config.json", "weights": f"{folder}/model.safetensors"}


def start(wildcards):
    """What a finetuning job starts from: a pretrained encoder, static vectors, or a multi-task model."""
    multi_task = cell_of(wildcards).prefinetuned
    if multi_task:
        # Not its time but its scores say whether it is another one: it may be made again only to be kept.
        return ancient(f"{multi_task.folder}/model")
    static = experiment.representations[wildcards.representation].method == "fasttext"
    weights = "vectors.vec" if static else "model.safetensors"
    return f"{experiment.encoder_folder(wildcards.language, wildcards.representation)}/{weights}"


def scores_of_start(wildcards):
    """The scores of the multi-task model that a finetuning job starts from, if it does."""
    multi_task = cell_of(wildcards).prefinetuned
    return multi_task.metrics if multi_task else []


def files_of_curve(wildcards):
    """What the learning curve is drawn from."""
    try:
        return curve_inputs(experiment, curve_of(experiment))
    except SpecializeError as error:
        raise WorkflowError(str(error)) from None


def model_if_kept():
    """The model's own output, where models are kept."""
    return {"model": directory(f"{RESULT}/model")} if experiment.config["keep_models"] else {}


def model_to_start_from():
    """A multi-task model; unless models are kept, it is deleted when the jobs that start from it have ended."""
    model = directory(f"{RESULT}/model")
    return model if experiment.config["keep_models"] else temp(model)


def is_twin(language):
    """Whether a language is a transliterated twin."""
    return experiment.languages[language].original is not None


def table_files(*names):
    """All formats of some tables."""
    return [f"results/tables/{name}.{ending}" for name in names for ending in ("md", "csv", "tex", "html")]


def training_stage(job):
    """The stage of a job that trains, else none."""
    return next((stage for stage, starts in TRAINING_RULES.items() if job.rule.name.startswith(starts)), None)


def reruns(jobs):
    """Those of the jobs that have finished before, with Snakemake's reason to make them again."""
    found = []
    for job in jobs:
        made = [str(path) for path in job.output if Path(path).exists()]  # a multi-task model is deleted after use
        if made:
            found.append(Rerun(training_stage(job), made[0], str(workflow.dag.reason(job)).rstrip(".")))
    return sorted(found, key=lambda rerun: (rerun.stage == "finetuning", rerun.output))


def check_treebanks():
    """Check treebanks that are there already for what the grid has learned to ask since they were made."""
    for language in experiment.needed_languages:
        if tasks := learned_tasks(experiment, language.tag):
            check_prepared(Path("results/datasets", language.tag), tasks, language.tags)


def outputs_of(jobs):
    """The files that some jobs make."""
    return [str(path) for job in jobs for path in job.output]


def print_plan_of_dry_run():
    """Print the forecast below the jobs; what had an error before has no plan."""
    if workflow.scheduler is not None:
        shown = workflow.dag.needrun_jobs(exclude_finished=False)  # a dry run finishes all that it shows
        planned = [job for job in shown if training_stage(job)]
        with contextlib.chdir(RUN):  # Snakemake has gone back by now to where it was started
            print(
                forecast(
                    experiment,
                    on_cluster=workflow.nodes is not None,
                    outputs=outputs_of(planned),
                    cores=workflow.resource_settings.cores,
                    dry_run=True,
                    gpus=workflow.global_resources.get("gpu").value,
                ),
                file=sys.stderr,
            )


if workflow.is_main_process and workflow.output_settings.dryrun:  # which calls no handler
    atexit.register(print_plan_of_dry_run)


onstart:
    if workflow.is_main_process:
        planned = [job for job in workflow.dag.needrun_jobs() if training_stage(job)]
        try:
            if workflow.executor_plugin.name == "slurm":
                check_slurm()
            known = [str(path) for job in workflow.dag.jobs for path in job.output]
            check_versions(Path.cwd(), reruns(planned), known, experiment.config["accept_rerun"])
            check_treebanks()
            if any(job.rule.name == "draw_curve" for job in workflow.dag.needrun_jobs()):
                check_curve(experiment)
            if not workflow.non_local_exec:
                measure_speeds(experiment, outputs_of(planned))
            print(
                forecast(
                    experiment,
                    on_cluster=workflow.non_local_exec,
                    outputs=outputs_of(planned),
                    cores=workflow.resource_settings.cores,
                    gpus=workflow.global_resources.get("gpu").value,
                ),
                file=sys.stderr,
            )
            given, cores = workflow.config_settings.config, workflow.resource_settings.cores
            record_command(Path.cwd(), workflow.main_snakefile, own_files, given, cores)  # `predict` may name it
        except SpecializeError as error:
            raise WorkflowError(str(error)) from None
