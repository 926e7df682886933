# Unlabeled text: extracted, cleaned, split by article, without the labeled test sentences.


rule corpus:
    input:
        text=raw_text,
        labeled=lambda wildcards: labeled_files(wildcards.language, parts=("dev", "test")),
    output:
        multiext("results/corpora/{language}/", *CORPUS_FILES),
    log:
        "logs/corpora/{language}.log",
    benchmark:
        "timings/corpora/{language}.tsv"
    wildcard_constraints:
        language=with_corpus(twins=False),
    priority: 80
    conda:
        "../../envs/text.yaml"
    threads: 8
    resources:
        mem_mb=growing(8_000),
        runtime=growing(120),
    params:
        reading=lambda wildcards: how_text_is_read(wildcards),
        cleaning=lambda wildcards: experiment.cleaning(wildcards.language).job_parameters(),
        version=STAGE_VERSIONS["corpora"],
    script:
        f"{SCRIPTS}/corpus.py"


rule transliterated_word_list:
    input:
        lambda wildcards: entry(wildcards)["dictionary"],
    output:
        "results/corpora/{language}/dictionary.tsv",
    log:
        "logs/corpora/{language}-dictionary.log",
    benchmark:
        "timings/corpora/{language}-dictionary.tsv"
    wildcard_constraints:
        language=with_corpus(twins=True),
    conda:
        "../../envs/text.yaml"
    params:
        transliteration=lambda wildcards: {
            key: value for key, value in entry(wildcards)["transliteration"].items() if key in ("scheme", "language")
        },
        version=STAGE_VERSIONS["corpora"],
    script:
        f"{SCRIPTS}/transliterated_word_list.py"


rule transliterated_corpus:
    input:
        lambda wildcards: corpus_files(original(wildcards)),
    output:
        multiext("results/corpora/{language}/", *CORPUS_FILES),
    log:
        "logs/corpora/{language}.log",
    benchmark:
        "timings/corpora/{language}.tsv"
    wildcard_constraints:
        language=with_corpus(twins=True),
    priority: 80
    conda:
        "../../envs/text.yaml"
    params:
        transliteration=lambda wildcards: entry(wildcards)["transliteration"],
        version=STAGE_VERSIONS["corpora"],
    script:
        f"{SCRIPTS}/transliterated_corpus.py"
