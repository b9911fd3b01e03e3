# Exit controls re-read the rows of other methods; results follow from rows without a model.


rule control:
    input:
        source=rows_of_source,
        manifest=LAYOUT.manifest("{dataset}"),
        method=code_of_method,
        code=stage_code("predict"),
        lock=LOCK,
    output:
        LAYOUT.stage_index("{dataset}", "{method}", "predictions", ["{seeds}"]),
    log:
        log_of("control", "dataset", "method", "seeds"),
    wildcard_constraints:
        method=one_of(CONTROLS),
    conda:
        ENVIRONMENT
    threads: SLOTS
    params:
        settings=settings("control"),
        threads=real_threads,
    shell:
        job("control", "dataset", "method", "seeds")


rule evaluate:
    input:
        predictions=predictions_of,
        manifest=LAYOUT.manifest("{dataset}"),
        code=stage_code("evaluate"),
    output:
        LAYOUT.results_index("{dataset}", "{method}"),
    log:
        log_of("evaluate", "dataset", "method"),
    conda:
        ENVIRONMENT
    threads: SLOTS
    params:
        settings=settings("evaluate"),
        threads=real_threads,
    shell:
        job("evaluate", "dataset", "method")
