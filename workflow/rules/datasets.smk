# Labeled data: validated treebanks and named entities, and their transliterated twins.
rule treebank:
    input:
        unpack(treebank_sources),
    output:
        multiext("results/datasets/{language}/", **CONLLU, statistics="statistics.json"),
    log:
        "logs/datasets/{language}/treebank.log",
    benchmark:
        "timings/datasets/{language}/treebank.tsv"
    wildcard_constraints:
        language=with_task("pos", "ud", twins=False),
    priority: 90
    conda:
        "../../envs/text.yaml"
    params:
        version=STAGE_VERSIONS["datasets"],
    script:
        f"{SCRIPTS}/treebank.py"


rule entities:
    input:
        unpack(entity_sources),
    output:
        multiext("results/datasets/{language}/ner/", **IOB2),
    log:
        "logs/datasets/{language}/ner.log",
    benchmark:
        "timings/datasets/{language}/ner.tsv"
    wildcard_constraints:
        language=with_task("ner", twins=False),
    priority: 90
    conda:
        "../../envs/text.yaml"
    params:
        code=lambda wildcards: entry(wildcards)["ner"].get("wikiann"),
        broken_labels=lambda wildcards: entry(wildcards)["ner"].get("broken_labels", "repair"),
        version=STAGE_VERSIONS["datasets"],
    script:
        f"{SCRIPTS}/entities.py"


rule transliterated_treebank:
    input:
        lambda wildcards: labeled_files(original(wildcards), ["pos", "ud"]),
    output:
        multiext("results/datasets/{language}/", **CONLLU),
    log:
        "logs/datasets/{language}/treebank.log",
    benchmark:
        "timings/datasets/{language}/treebank.tsv"
    wildcard_constraints:
        language=with_task("pos", "ud", twins=True),
    priority: 90
    conda:
        "../../envs/text.yaml"
    params:
        transliteration=lambda wildcards: entry(wildcards)["transliteration"],
        version=STAGE_VERSIONS["datasets"],
    script:
        f"{SCRIPTS}/transliterated_treebank.py"


rule transliterated_entities:
    input:
        lambda wildcards: labeled_files(original(wildcards), ["ner"]),
    output:
        multiext("results/datasets/{language}/ner/", **IOB2),
    log:
        "logs/datasets/{language}/ner.log",
    benchmark:
        "timings/datasets/{language}/ner.tsv"
    wildcard_constraints:
        language=with_task("ner", twins=True),
    priority: 90
    conda:
        "../../envs/text.yaml"
    params:
        transliteration=lambda wildcards: entry(wildcards)["transliteration"],
        version=STAGE_VERSIONS["datasets"],
    script:
        f"{SCRIPTS}/transliterated_entities.py"


# Cross-validated data: all of them in one file, and the parts of each fold.
for number in sorted({language.folds(task) for language in experiment.languages.values() for task in TASKS} - {0}):

    rule:
        name:
            f"treebank_in_{number}_folds"
        input:
            unpack(treebank_sources),
        output:
            treebank_folds(number),
            statistics="results/datasets/{language}/statistics.json",
        log:
            "logs/datasets/{language}/treebank.log",
        benchmark:
            "timings/datasets/{language}/treebank.tsv"
        wildcard_constraints:
            language=with_folds(number, "pos", "ud", twins=False),
        priority: 90
        conda:
            "../../envs/text.yaml"
        params:
            folds=number,
            seed=fold_seed("treebank"),
            version=STAGE_VERSIONS["datasets"],
        script:
            f"{SCRIPTS}/treebank_folds.py"

    rule:
        name:
            f"entities_in_{number}_folds"
        input:
            unpack(entity_sources),
            treebank=folds_of_treebank(number),
        output:
            entity_folds(number),
            statistics="results/datasets/{language}/ner/statistics.json",
        log:
            "logs/datasets/{language}/ner.log",
        benchmark:
            "timings/datasets/{language}/ner.tsv"
        wildcard_constraints:
            language=with_folds(number, "ner", twins=False),
        priority: 90
        conda:
            "../../envs/text.yaml"
        params:
            code=lambda wildcards: entry(wildcards)["ner"].get("wikiann"),
            broken_labels=lambda wildcards: entry(wildcards)["ner"].get("broken_labels", "repair"),
            folds=number,
            seed=fold_seed("ner"),
            version=STAGE_VERSIONS["datasets"],
        script:
            f"{SCRIPTS}/entities.py"

    rule:
        name:
            f"transliterated_treebank_in_{number}_folds"
        input:
            of_original(treebank_folds(number)),
        output:
            treebank_folds(number),
        log:
            "logs/datasets/{language}/treebank.log",
        benchmark:
            "timings/datasets/{language}/treebank.tsv"
        wildcard_constraints:
            language=with_folds(number, "pos", "ud", twins=True),
        priority: 90
        conda:
            "../../envs/text.yaml"
        params:
            transliteration=lambda wildcards: entry(wildcards)["transliteration"],
            version=STAGE_VERSIONS["datasets"],
        script:
            f"{SCRIPTS}/transliterated_treebank.py"

    rule:
        name:
            f"transliterated_entities_in_{number}_folds"
        input:
            of_original(entity_folds(number)),
        output:
            entity_folds(number),
        log:
            "logs/datasets/{language}/ner.log",
        benchmark:
            "timings/datasets/{language}/ner.tsv"
        wildcard_constraints:
            language=with_folds(number, "ner", twins=True),
        priority: 90
        conda:
            "../../envs/text.yaml"
        params:
            transliteration=lambda wildcards: entry(wildcards)["transliteration"],
            version=STAGE_VERSIONS["datasets"],
        script:
            f"{SCRIPTS}/transliterated_entities.py"
