# Wordpieces: the base vocabulary, with new pieces in its free slots; or the byte-level pieces of a monolingual model.


rule vocabulary:
    input:
        base=lambda wildcards: base_of(wildcards)["config"],
        corpus=lambda wildcards: [path for path in corpus_files(wildcards.language) if path.endswith("train.txt")],
        labeled=lambda wildcards: labeled_files(wildcards.language, parts=("train",)),
        elsewhere=lambda wildcards: [
            experiment.languages[tag].held_out_treebank
            for tag in experiment.other_languages(wildcards.language, wildcards.representation)
        ],
    output:
        multiext(
            "results/vocabularies/{language}/{representation}/",
            tokenizer="tokenizer.json",
            statistics="statistics.json",
        ),
    log:
        "logs/vocabularies/{language}/{representation}.log",
    benchmark:
        "timings/vocabularies/{language}/{representation}.tsv"
    wildcard_constraints:
        representation=with_method("base", "adapt"),
    priority: 70
    conda:
        "../../envs/text.yaml"
    resources:
        mem_mb=growing(8_000),
    params:
        pieces=lambda wildcards: experiment.representations[wildcards.representation].pieces,
        training=lambda wildcards: how_pieces_are_chosen(wildcards.representation),
        normal_form=experiment.normal_form,
        version=STAGE_VERSIONS["vocabularies"],
    script:
        f"{SCRIPTS}/vocabulary.py"


rule byte_vocabulary:
    input:
        corpus="results/corpora/{language}/train.txt",
        labeled=lambda wildcards: labeled_files(wildcards.language, parts=("train",)),
    output:
        multiext(
            "results/vocabularies/{language}/{representation}/",
            tokenizer="tokenizer.json",
            statistics="statistics.json",
        ),
    log:
        "logs/vocabularies/{language}/{representation}.log",
    benchmark:
        "timings/vocabularies/{language}/{representation}.tsv"
    wildcard_constraints:
        representation=with_method("scratch"),
    priority: 70
    conda:
        "../../envs/text.yaml"
    params:
        training=lambda wildcards: experiment.byte_vocabulary_training(wildcards.representation).job_parameters(),
        normal_form=experiment.normal_form,
        version=STAGE_VERSIONS["vocabularies"],
    script:
        f"{SCRIPTS}/byte_vocabulary.py"


rule trimmed_vocabulary:
    input:
        source=lambda wildcards: f"results/vocabularies/{wildcards.language}/{untrimmed(wildcards)}/tokenizer.json",
        corpus=lambda wildcards: [path for path in corpus_files(wildcards.language) if path.endswith("train.txt")],
        # Cross-validated data are one file, which has every fold's test sentences.
        labeled=lambda wildcards: [
            path for path in labeled_files(wildcards.language, parts=("train",)) if Path(path).stem == "train"
        ],
        elsewhere=lambda wildcards: [
            experiment.languages[tag].held_out_treebank
            for tag in experiment.other_languages(wildcards.language, wildcards.representation)
        ],
    output:
        multiext(
            "results/vocabularies/{language}/{representation}/",
            tokenizer="tokenizer.json",
            statistics="statistics.json",
        ),
    log:
        "logs/vocabularies/{language}/{representation}.log",
    benchmark:
        "timings/vocabularies/{language}/{representation}.tsv"
    wildcard_constraints:
        representation=with_method("trim"),
    priority: 70
    conda:
        "../../envs/text.yaml"
    resources:
        mem_mb=growing(8_000),
    params:
        normal_form=experiment.normal_form,
        version=STAGE_VERSIONS["vocabularies"],
    script:
        f"{SCRIPTS}/trimmed_vocabulary.py"
