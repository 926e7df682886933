# Masked-language-model pretraining: base models from scratch, and further on one language (LAPT, VA, TVA).


rule pretrain_base:
    input:
        lambda wildcards: [
            path
            for language in experiment.config["base_models"][wildcards.base_model]["pretrain"]["languages"]
            for path in corpus_files(language)
        ],
    output:
        multiext(
            "results/pretraining/base/{base_model}/",
            config="config.json",
            weights="model.safetensors",
            history="history.json",
        ),
    log:
        "logs/pretraining/base/{base_model}.log",
    benchmark:
        "timings/pretraining/base/{base_model}.tsv"
    wildcard_constraints:
        base_model=one_of(name for name, model in experiment.config["base_models"].items() if "pretrain" in model),
    priority: 60
    conda:
        "../../envs/training.yaml"
    threads: lambda wildcards: experiment.pretraining(wildcards.base_model)["threads"]
    params:
        pretrain=lambda wildcards: experiment.config["base_models"][wildcards.base_model]["pretrain"],
        vocabulary=experiment.base_vocabulary_training(),
        settings=lambda wildcards: experiment.pretraining(wildcards.base_model),
        version=STAGE_VERSIONS["pretraining"],
    script:
        f"{SCRIPTS}/pretrain_base.py"


rule adapt:
    input:
        unpack(base_of),
        tokenizer="results/vocabularies/{language}/{representation}/tokenizer.json",
        statistics="results/vocabularies/{language}/{representation}/statistics.json",
        corpus="results/corpora/{language}/train.txt",
        validation="results/corpora/{language}/valid.txt",
    output:
        multiext(
            "results/pretraining/{language}/{representation}/",
            config="config.json",
            weights="model.safetensors",
            history="history.json",
        ),
    log:
        "logs/pretraining/{language}/{representation}.log",
    benchmark:
        "timings/pretraining/{language}/{representation}.tsv"
    wildcard_constraints:
        representation=ADAPTED,
    priority: 60
    conda:
        "../../envs/training.yaml"
    threads: experiment.pretraining()["threads"]
    params:
        multiplier=lambda wildcards: experiment.representations[wildcards.representation].multiplier,
        settings=experiment.pretraining(),
        version=STAGE_VERSIONS["pretraining"],
    script:
        f"{SCRIPTS}/adapt.py"
