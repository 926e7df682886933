# Downloads as published, from upstream or from a mirror; on a cluster from where Snakemake runs, which has internet.
rule wikipedia_dump:
    output:
        "resources/wikipedia/{code}wiki/{date}/{code}wiki-{date}-pages-articles.xml.bz2",
    log:
        "logs/sources/wikipedia/{code}-{date}.log",
    benchmark:
        "timings/sources/wikipedia/{code}-{date}.tsv"
    wildcard_constraints:
        code="[a-z][a-z0-9_]*",
        date="[0-9]{8}",
    priority: 100
    localrule: True
    conda:
        "../../envs/text.yaml"
    resources:
        wikimedia=1,
    params:
        sha256=lambda wildcards: pinned("corpus", wikipedia=wildcards.code.replace("_", "-"), date=wildcards.date),
    script:
        f"{SCRIPTS}/wikipedia_dump.py"


rule treebank_release:
    output:
        multiext("resources/universal-dependencies/{name}/{release}/{prefix}-ud-", **CONLLU),
    log:
        "logs/sources/universal-dependencies/{name}/{release}/{prefix}.log",
    benchmark:
        "timings/sources/universal-dependencies/{name}/{release}/{prefix}.tsv"
    wildcard_constraints:
        name="UD_[^/]+",
        release="r[0-9.]+",
        prefix="[a-z0-9_]+",
    priority: 100
    localrule: True
    conda:
        "../../envs/text.yaml"
    params:
        sha256=lambda wildcards: pinned("treebank", **wildcards) or {},
    script:
        f"{SCRIPTS}/treebank_release.py"


# Whatever files a treebank has, which lie beside the list of them as published: of an entry with folds, or a release
# newer than 2.5. Whether all parts are needed is no parameter: it would fetch anew what is there.
rule treebank_parts:
    output:
        "resources/universal-dependencies/{name}/{release}/{prefix}-ud-files.txt",
    log:
        "logs/sources/universal-dependencies/{name}/{release}/{prefix}-files.log",
    benchmark:
        "timings/sources/universal-dependencies/{name}/{release}/{prefix}-files.tsv"
    wildcard_constraints:
        name="UD_[^/]+",
        release="r[0-9.]+|master|dev|[0-9a-f]{40}",
        prefix="[a-z0-9_]+",
    priority: 100
    localrule: True
    conda:
        "../../envs/text.yaml"
    params:
        section="treebank",
        sha256=lambda wildcards: pinned("treebank", **wildcards) or {},
    script:
        f"{SCRIPTS}/listed_files.py"


rule universal_entities:
    output:
        "resources/universal-ner/{treebank}/ud-files.txt",
    log:
        "logs/sources/universal-ner/{treebank}.log",
    benchmark:
        "timings/sources/universal-ner/{treebank}.tsv"
    wildcard_constraints:
        treebank="UNER_[^/]+",
    priority: 100
    localrule: True
    conda:
        "../../envs/text.yaml"
    params:
        section="ner",
        sha256=lambda wildcards: pinned("ner", universal=wildcards.treebank) or {},
    script:
        f"{SCRIPTS}/listed_files.py"


rule masakhane:
    output:
        multiext("resources/{collection}/{code}/", **MASAKHANE),
    log:
        "logs/sources/{collection}/{code}.log",
    benchmark:
        "timings/sources/{collection}/{code}.tsv"
    wildcard_constraints:
        collection="masakhaner|masakhapos",
        code="[a-z][a-z0-9-]*",
    priority: 100
    localrule: True
    conda:
        "../../envs/text.yaml"
    params:
        sha256=lambda wildcards: pinned(
            "ner" if wildcards.collection == "masakhaner" else "treebank",
            **{wildcards.collection: wildcards.code},
        )
        or {},
    script:
        f"{SCRIPTS}/masakhane.py"


# The collection of all languages is no input: with a mirror there is none, and coming or going would redo what follows.
rule wikiann_archive:
    output:
        "resources/wikiann/{code}.tar.gz",
    log:
        "logs/sources/wikiann/{code}.log",
    benchmark:
        "timings/sources/wikiann/{code}.tsv"
    wildcard_constraints:
        code="[a-z][a-z0-9-]*",
    priority: 100
    localrule: True
    conda:
        "../../envs/text.yaml"
    params:
        sha256=lambda wildcards: pinned("ner", wikiann=wildcards.code),
    script:
        f"{SCRIPTS}/wikiann_archive.py"


rule base_model:
    input:
        ancient(own_model),
    output:
        multiext(
            "results/pretraining/base/{base_model}/",
            config="config.json",
            weights="model.safetensors",
        ),
    log:
        "logs/pretraining/base/{base_model}.log",
    benchmark:
        "timings/pretraining/base/{base_model}.tsv"
    wildcard_constraints:
        base_model=one_of(name for name, model in experiment.config["base_models"].items() if "pretrain" not in model),
    priority: 100
    localrule: True
    conda:
        "../../envs/training.yaml"
    params:
        origin=lambda wildcards: {
            key: experiment.config["base_models"][wildcards.base_model].get(key)
            for key in ("hub", "revision", "folder")
        },
        content=own_model_content,
        normal_form=experiment.normal_form,
    script:
        f"{SCRIPTS}/base_model.py"
