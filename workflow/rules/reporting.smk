# What is shown: pure functions of results, from one list. MLflow: a mirror of the results.

RESULTS = [LAYOUT.results_index(dataset, method) for dataset, method in PLAN.variants]
MANIFESTS = [folder.folder / "method.yaml" for folder in METHODS.values()]


for artefact in ARTEFACTS:

    rule:
        name:
            artefact.name
        input:
            results=RESULTS,
            methods=MANIFESTS,
            read=read_by(artefact),
            code=imported_files((artefact.dotted_module,)),
            lock=LOCK,
        output:
            files_of(artefact),
        log:
            log_of(artefact.name),
        conda:
            ENVIRONMENT
        threads: (artefact.threads or CPUS) * SLOTS
        resources:
            **resources_of(artefact.name),
        params:
            settings=PLAN.settings_digest("table"),
            threads=real_threads,
            item=artefact.name,
        shell:
            job("artefact", item="{params.item:q}")


rule costs:
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


rule track:
    input:
        shown=[file for one in SHOWN_BY_DEFAULT for file in files_of(one)],
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
        shown=[file for one in SHOWN_BY_DEFAULT for file in files_of(one)],
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
