# Task models: one job for each language, representation, regime and seed.
CELL = "{language}/{representation}/{regime}/{split}seed{seed}"
RESULT = f"results/finetuning/{CELL}"


rule finetune:
    input:
        start=start,
        data=labeled_files_of_cell,
        trained=scores_of_start,
    output:
        **model_if_kept(),
        metrics=f"{RESULT}/metrics.json",
        history=f"{RESULT}/history.json",
        timing=f"{RESULT}/timing.json",
        predictions=f"{RESULT}/predictions.conllu",
    log:
        f"logs/finetuning/{CELL}.log",
    benchmark:
        f"timings/finetuning/{CELL}.tsv"
    wildcard_constraints:
        regime=one_of(name for name, regime in REGIMES.items() if regime.task in ("pos", "ud")),
    conda:
        "../../envs/training.yaml"
    threads: lambda wildcards: experiment.finetuning(**wildcards).threads
    resources:
        **GPU,
        mem_mb=growing(12_000),
        runtime=growing(4 * 60),
    params:
        settings=lambda wildcards: experiment.finetuning(**wildcards).job_parameters(),
        version=STAGE_VERSIONS["finetuning"],
    script:
        f"{SCRIPTS}/finetune.py"


use rule finetune as finetune_ner with:
    output:
        **model_if_kept(),
        metrics=f"{RESULT}/metrics.json",
        history=f"{RESULT}/history.json",
        timing=f"{RESULT}/timing.json",
        predictions=f"{RESULT}/predictions.tsv",
    wildcard_constraints:
        regime=one_of(name for name, regime in REGIMES.items() if regime.task == "ner"),


use rule finetune as finetune_multi_task with:
    output:
        model=model_to_start_from(),
        metrics=f"{RESULT}/metrics.json",
        history=f"{RESULT}/history.json",
        timing=f"{RESULT}/timing.json",
        predictions=f"{RESULT}/predictions.conllu",
    wildcard_constraints:
        # Without named entities INT would be the same again.
        regime=one_of(name for name in MULTI_TASK_REGIMES if REGIMES[name].mixing != "int"),
        language=one_of(
            tag
            for tag, language in experiment.languages.items()
            if language.has_regime("mtl-ups") and not language.has_regime("mtl-int")
        ),
    resources:
        **GPU,
        mem_mb=growing(16_000),
        runtime=growing(12 * 60),


use rule finetune_multi_task as finetune_multi_task_ner with:
    output:
        model=model_to_start_from(),
        metrics=f"{RESULT}/metrics.json",
        history=f"{RESULT}/history.json",
        timing=f"{RESULT}/timing.json",
        predictions=f"{RESULT}/predictions.conllu",
        entities=f"{RESULT}/predictions.tsv",
    wildcard_constraints:
        regime=one_of(MULTI_TASK_REGIMES),
        language=one_of(tag for tag, language in experiment.languages.items() if language.has_regime("mtl-int")),
