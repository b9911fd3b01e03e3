# Tables and figures: pure functions of results. MLflow: a mirror of them.

RESULTS = [LAYOUT.results_index(dataset, method) for dataset, method in PLAN.variants]
MANIFESTS = [folder.folder / "method.yaml" for folder in METHODS.values()]


rule table:
    input:
        results=RESULTS,
        methods=MANIFESTS,
        code=stage_code("report"),
    output:
        multiext(str(LAYOUT.tables / "{item}"), ".csv", ".md", ".tex"),
    wildcard_constraints:
        item="|".join(PLAN.paper.tables),
    log:
        log_of("table", "item"),
    params:
        settings=settings("table"),
        threads=real_threads,
    threads: SLOTS
    shell:
        job("table", "item")


rule figure:
    input:
        results=RESULTS,
        methods=MANIFESTS,
        code=stage_code("report"),
    output:
        multiext(str(LAYOUT.figures / "{item}"), ".png", ".svg", ".csv"),
    wildcard_constraints:
        item="|".join(PLAN.paper.figures),
    log:
        log_of("figure", "item"),
    params:
        settings=settings("figure"),
        threads=real_threads,
    threads: SLOTS
    shell:
        job("figure", "item")


rule track:
    input:
        tables=expand(LAYOUT.tables / "{table}.csv", table=PLAN.paper.tables),
        results=RESULTS,
        code=stage_code("track"),
    output:
        LAYOUT.root / "tracked.json",
    log:
        log_of("track"),
    params:
        settings=settings("track"),
        threads=real_threads,
    threads: SLOTS
    shell:
        job("track")


rule outcome:
    input:
        tables=expand(LAYOUT.tables / "{table}.csv", table=PLAN.paper.tables),
        figures=expand(LAYOUT.figures / "{figure}.png", figure=PLAN.paper.figures),
        tracked=LAYOUT.root / "tracked.json",
    output:
        LAYOUT.root / "outcome.json",
    log:
        log_of("outcome"),
    params:
        threads=real_threads,
    threads: SLOTS
    shell:
        job("outcome")
