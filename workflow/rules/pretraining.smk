# Masked-language-model pretraining: base and monolingual models from scratch, and further on one language (LAPT, VA, TVA).
# Static word vectors.
MODEL = "results/pretraining/{language}/{representation}"


rule pretrain_base:
    input:
        lambda wildcards: [
            path
            for language in experiment.config["base_models"][wildcards.base_model]["pretrain"]["languages"]
            for path in corpus_files(language)
        ],
        own_tokenizer,
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
    threads: lambda wildcards: experiment.base_pretraining(wildcards.base_model).threads
    resources:
        **gpus_on_one_node(),
        mem_mb=growing(16_000, gpus),
        runtime=growing(12 * 60),
    params:
        languages=lambda wildcards: experiment.config["base_models"][wildcards.base_model]["pretrain"]["languages"],
        unused_slots=lambda wildcards: experiment.config["base_models"][wildcards.base_model]["pretrain"].get(
            "unused_slots", 0
        ),
        architecture=lambda wildcards: experiment.base_model_sizes(wildcards.base_model),
        vocabulary=lambda wildcards: parameters_if_any(experiment.base_vocabulary_training(wildcards.base_model)),
        normal_form=experiment.normal_form,
        settings=lambda wildcards: experiment.base_pretraining(wildcards.base_model).job_parameters(),
        version=STAGE_VERSIONS["pretraining"],
    script:
        f"{SCRIPTS}/pretrain_base.py"


rule adapt:
    input:
        unpack(base_of),
        unpack(word_list_of),
        tokenizer="results/vocabularies/{language}/{representation}/tokenizer.json",
        statistics="results/vocabularies/{language}/{representation}/statistics.json",
        corpus="results/corpora/{language}/train.txt",
        validation="results/corpora/{language}/valid.txt",
        counts="results/corpora/{language}/statistics.json",
        others=other_texts,
    output:
        multiext(
            f"{MODEL}/",
            config="config.json",
            weights="model.safetensors",
            history="history.json",
            card="README.md",
        ),
    log:
        "logs/pretraining/{language}/{representation}.log",
    benchmark:
        "timings/pretraining/{language}/{representation}.tsv"
    wildcard_constraints:
        representation=with_method("adapt"),
    priority: 60
    conda:
        "../../envs/training.yaml"
    threads: lambda wildcards: experiment.pretraining(wildcards.representation).threads
    resources:
        **gpus_on_one_node(),
        mem_mb=growing(16_000, gpus),
        runtime=growing(12 * 60),
    params:
        multiplier=lambda wildcards: experiment.representations[wildcards.representation].multiplier,
        settings=lambda wildcards: experiment.pretraining(wildcards.representation).job_parameters(),
        version=STAGE_VERSIONS["pretraining"],
    script:
        f"{SCRIPTS}/adapt.py"


rule pretrain_monolingual:
    input:
        tokenizer="results/vocabularies/{language}/{representation}/tokenizer.json",
        corpus="results/corpora/{language}/train.txt",
        validation="results/corpora/{language}/valid.txt",
        counts="results/corpora/{language}/statistics.json",
        others=other_texts,
    output:
        multiext(
            f"{MODEL}/",
            config="config.json",
            weights="model.safetensors",
            history="history.json",
            card="README.md",
        ),
    log:
        "logs/pretraining/{language}/{representation}.log",
    benchmark:
        "timings/pretraining/{language}/{representation}.tsv"
    wildcard_constraints:
        representation=with_method("scratch"),
    priority: 60
    conda:
        "../../envs/training.yaml"
    threads: lambda wildcards: experiment.pretraining(wildcards.representation).threads
    resources:
        **gpus_on_one_node(),
        mem_mb=growing(16_000, gpus),
        runtime=growing(12 * 60),
    params:
        architecture=lambda wildcards: experiment.config["representations"][wildcards.representation]["architecture"],
        settings=lambda wildcards: experiment.pretraining(wildcards.representation).job_parameters(),
        version=STAGE_VERSIONS["pretraining"],
    script:
        f"{SCRIPTS}/pretrain_monolingual.py"


rule trim_model:
    input:
        unpack(model_of),
        tokenizer="results/vocabularies/{language}/{representation}/tokenizer.json",
    output:
        multiext(
            f"{MODEL}/",
            config="config.json",
            weights="model.safetensors",
            history="history.json",
            card="README.md",
        ),
    log:
        "logs/pretraining/{language}/{representation}.log",
    benchmark:
        "timings/pretraining/{language}/{representation}.tsv"
    wildcard_constraints:
        representation=with_method("trim"),
    priority: 60
    conda:
        "../../envs/training.yaml"
    resources:
        mem_mb=growing(8_000),
        runtime=growing(60),
    params:
        version=STAGE_VERSIONS["pretraining"],
    script:
        f"{SCRIPTS}/trim_model.py"


rule static_vectors:
    input:
        corpus="results/corpora/{language}/train.txt",
        counts="results/corpora/{language}/statistics.json",
    output:
        multiext(
            f"{MODEL}/",
            vectors="vectors.vec",
            subwords="subwords.safetensors",
            statistics="statistics.json",
        ),
    log:
        "logs/pretraining/{language}/{representation}.log",
    benchmark:
        "timings/pretraining/{language}/{representation}.tsv"
    wildcard_constraints:
        representation=with_method("fasttext"),
    priority: 60
    conda:
        "../../envs/training.yaml"
    threads: lambda wildcards: experiment.vectors(wildcards.representation).threads
    resources:
        mem_mb=growing(8_000),
        runtime=growing(60),
    params:
        settings=lambda wildcards: experiment.vectors(wildcards.representation).job_parameters(),
        normal_form=experiment.normal_form,
        version=STAGE_VERSIONS["pretraining"],
    script:
        f"{SCRIPTS}/static_vectors.py"
