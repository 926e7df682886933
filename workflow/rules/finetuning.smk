# Task models: one job for each language, representation, regime and seed.
CELL = "{language}/{representation}/{regime}/seed{seed}"
RESULT = f"results/finetuning/{CELL}"


rule finetune:
    input:
        encoder=encoder,
        data=lambda wildcards: labeled_files(wildcards.language, [wildcards.regime]),
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
        regime=one_of(regime for regime in REGIMES if regime != "ner"),
    conda:
        "../../envs/training.yaml"
    threads: experiment.config["finetuning"]["threads"]
    params:
        settings=lambda wildcards: experiment.finetuning(**wildcards),
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
        regime="ner",
