# Wordpieces: the base vocabulary, with new pieces in its free slots.


ADAPTED = one_of(name for name, entry in experiment.representations.items() if entry.method == "adapt")
WITH_WORDPIECES = one_of(
    name for name, entry in experiment.representations.items() if entry.method in ("base", "adapt")
)


rule vocabulary:
    input:
        base=lambda wildcards: base_of(wildcards)["config"],
        corpus=lambda wildcards: [path for path in corpus_files(wildcards.language) if path.endswith("train.txt")],
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
        representation=WITH_WORDPIECES,
    priority: 70
    conda:
        "../../envs/text.yaml"
    params:
        pieces=lambda wildcards: experiment.representations[wildcards.representation].pieces,
        training=lambda wildcards: experiment.vocabulary_training(wildcards.representation),
        version=STAGE_VERSIONS["vocabularies"],
    script:
        f"{SCRIPTS}/vocabulary.py"
