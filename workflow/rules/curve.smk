# How much annotation is enough: the grid's single-task jobs once more, on shares of their training sentences.
SHARE = "results/datasets/{language}/{fold}share{share}/seed{seed}"


rule share_of_treebank:
    input:
        multiext("results/datasets/{language}/{fold}", **CONLLU),
    output:
        multiext(f"{SHARE}/", **CONLLU),
    log:
        "logs/datasets/{language}/{fold}share{share}/seed{seed}.log",
    benchmark:
        "timings/datasets/{language}/{fold}share{share}/seed{seed}.tsv"
    wildcard_constraints:
        fold=r"(fold\d+/)?",
        share=one_of(map(str, experiment.config["curve"]["shares"])),
    localrule: True
    conda:
        "../../envs/text.yaml"
    params:
        version=STAGE_VERSIONS["datasets"],
    script:
        f"{SCRIPTS}/share.py"


use rule share_of_treebank as share_of_entities with:
    input:
        multiext("results/datasets/{language}/{fold}ner/", **IOB2),
    output:
        multiext(f"{SHARE}/ner/", **IOB2),
    log:
        "logs/datasets/{language}/{fold}share{share}/seed{seed}/ner.log",
    benchmark:
        "timings/datasets/{language}/{fold}share{share}/seed{seed}/ner.tsv"


rule draw_curve:
    input:
        files_of_curve,
    output:
        table_files("curve")[:3],
        table_files("curve-reached")[:3],
        "results/figures/curve.svg",
        html=report(
            "results/tables/curve.html",
            caption="../report/curve.rst",
            category="Learning curve",
            labels={"table": "curve"},
        ),
        reached=report(
            "results/tables/curve-reached.html",
            caption="../report/curve.rst",
            category="Learning curve",
            labels={"table": "curve-reached"},
        ),
        png=report(
            "results/figures/curve.png",
            caption="../report/curve.rst",
            category="Learning curve",
            labels={"figure": "curve"},
        ),
    log:
        "logs/tables/curve.log",
    benchmark:
        "timings/tables/curve.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        settings=table_parameters(experiment, "curve"),
        version=STAGE_VERSIONS["tables"],
    script:
        f"{SCRIPTS}/curve.py"
