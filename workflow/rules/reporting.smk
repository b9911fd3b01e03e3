# Tables and figures: pure functions of results. MLflow: a mirror of them.

RESULTS = [LAYOUT.results_index(dataset, method) for dataset, method in PLAN.variants]
MANIFESTS = [folder.folder / "method.yaml" for folder in METHODS.values()]


rule table:
    input:
        results=RESULTS,
        methods=MANIFESTS,
        code=stage_code("table"),
    output:
        multiext(str(LAYOUT.tables / "{item}"), ".csv", ".tex", SOURCES_SUFFIX),
        LAYOUT.tables / "{item}.md",
    log:
        log_of("table", "item"),
    wildcard_constraints:
        item=one_of(PLAN.paper.tables),
    conda:
        ENVIRONMENT
    threads: SLOTS
    params:
        settings=settings("table"),
        threads=real_threads,
    shell:
        job("table", "item")


rule document:
    input:
        tables=tables(".tex"),
        code=stage_code("table"),
    output:
        LAYOUT.tables / "tables.tex",
    log:
        log_of("document"),
    conda:
        ENVIRONMENT
    threads: SLOTS
    params:
        threads=real_threads,
    shell:
        job("document")


rule figure:
    input:
        results=RESULTS,
        methods=MANIFESTS,
        code=stage_code("figure"),
    output:
        multiext(str(LAYOUT.figures / "{item}"), ".png", ".csv", SOURCES_SUFFIX),
        LAYOUT.figures / "{item}.svg",
    log:
        log_of("figure", "item"),
    wildcard_constraints:
        item=one_of(PLAN.paper.figures),
    conda:
        ENVIRONMENT
    threads: SLOTS
    params:
        settings=settings("figure"),
        threads=real_threads,
    shell:
        job("figure", "item")


# Where every method's videos exit, and a strip of a few videos: not in the paper.
rule further_figure:
    input:
        results=RESULTS,
        methods=MANIFESTS,
        frames=[LAYOUT.frames(dataset) / "index.json" for dataset in FRAME_OWNERS],
        code=stage_code("further_figure"),
    output:
        multiext(str(LAYOUT.figures / "{item}"), ".png", ".csv", SOURCES_SUFFIX),
        LAYOUT.figures / "{item}.svg",
    log:
        log_of("further", "item"),
    wildcard_constraints:
        item=one_of(FURTHER_FIGURES),
    conda:
        ENVIRONMENT
    threads: SLOTS
    params:
        settings=settings("figure"),
        threads=real_threads,
    shell:
        job("further_figure", "item")


rule exits:
    input:
        LAYOUT.figures / "exits.png",


rule strip:
    input:
        LAYOUT.figures / "strip.png",


rule table_costs:
    input:
        code=stage_code("costs"),
        lock=LOCK,
    output:
        multiext(f"{PLAN.config.results}/costs/costs", ".csv", ".md"),
    log:
        f"{PLAN.config.results}/costs/costs.log",
    conda:
        ENVIRONMENT
    threads: SLOTS
    params:
        threads=real_threads,
    shell:
        job("costs")


rule table_timing:
    input:
        results=RESULTS,
        code=stage_code("timing"),
    output:
        multiext(str(LAYOUT.tables / "timing"), ".csv", ".md", SOURCES_SUFFIX),
    log:
        log_of("timing"),
    conda:
        ENVIRONMENT
    # All slots: nothing else runs beside a measurement of time.
    threads: CPUS * SLOTS
    resources:
        **resources_of("timing"),
    params:
        threads=real_threads,
    shell:
        job("timing")


rule ledger:
    input:
        results=RESULTS,
        others=results_on_paper_datasets,
        methods=MANIFESTS,
        code=stage_code("ledger"),
        lock=LOCK,
    output:
        multiext(str(LAYOUT.tables / "ledger"), ".csv", SOURCES_SUFFIX),
        LAYOUT.tables / "ledger.md",
    log:
        log_of("ledger"),
    conda:
        ENVIRONMENT
    threads: SLOTS
    params:
        settings=settings("table"),
        threads=real_threads,
    shell:
        job("ledger")


rule frontier:
    input:
        results=RESULTS,
        methods=MANIFESTS,
        code=stage_code("frontier"),
    output:
        multiext(str(LAYOUT.figures / "frontier"), ".png", ".csv", SOURCES_SUFFIX),
        multiext(str(LAYOUT.tables / "frontier"), ".csv", SOURCES_SUFFIX),
        LAYOUT.figures / "frontier.svg",
        LAYOUT.tables / "frontier.md",
    log:
        log_of("frontier"),
    conda:
        ENVIRONMENT
    threads: 2 * SLOTS
    params:
        settings=settings("figure"),
        threads=real_threads,
    shell:
        job("frontier")


rule known_answers:
    input:
        results=RESULTS,
        truth=[LAYOUT.videos(dataset) / "truth.jsonl" for dataset in BUILTIN],
        code=stage_code("known_answers"),
    output:
        multiext(str(LAYOUT.tables / "known_answers"), ".csv", SOURCES_SUFFIX),
        LAYOUT.tables / "known_answers.md",
    log:
        log_of("known_answers"),
    conda:
        ENVIRONMENT
    threads: SLOTS
    params:
        settings=settings("table"),
        threads=real_threads,
    shell:
        job("known_answers")


rule claims:
    input:
        results=RESULTS,
        methods=MANIFESTS,
        code=stage_code("claims"),
    output:
        multiext(str(LAYOUT.tables / "claims"), ".csv", SOURCES_SUFFIX),
        LAYOUT.tables / "claims.md",
    log:
        log_of("claims"),
    conda:
        ENVIRONMENT
    threads: SLOTS
    params:
        settings=settings("table"),
        threads=real_threads,
    shell:
        job("claims")


# One file to send by mail: all of the above, each number with the runs behind it.
rule report:
    input:
        results=RESULTS,
        tables=tables(
            ".csv",
            *("claims", "ledger", "frontier"),
            *(["known_answers"] if BUILTIN else []),
            *(["timing"] if (LAYOUT.tables / "timing.csv").is_file() else []),
        ),
        figures=figures(".svg", *FURTHER_FIGURES, "frontier"),
        methods=MANIFESTS,
        citation=ROOT / "CITATION.cff",
        code=stage_code("report"),
        lock=LOCK,
    output:
        LAYOUT.report,
        LAYOUT.report.with_suffix(SOURCES_SUFFIX),
    log:
        log_of("report"),
    conda:
        ENVIRONMENT
    threads: SLOTS
    params:
        settings=settings("table"),
        threads=real_threads,
    shell:
        job("report")


rule track:
    input:
        tables=tables(".csv"),
        results=RESULTS,
        code=stage_code("track"),
    output:
        LAYOUT.root / "tracked.json",
    log:
        log_of("track"),
    conda:
        ENVIRONMENT
    threads: SLOTS
    params:
        settings=settings("track"),
        threads=real_threads,
    shell:
        job("track")


rule outcome:
    input:
        results=RESULTS,
        tables=tables(".csv"),
        figures=figures(".png"),
        tracked=LAYOUT.root / "tracked.json",
    output:
        LAYOUT.root / "outcome.json",
    log:
        log_of("outcome"),
    conda:
        ENVIRONMENT
    threads: SLOTS
    params:
        threads=real_threads,
    shell:
        job("outcome")
