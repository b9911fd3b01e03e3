# Predictions, one row a video, and what follows from them without a model.


rule predict:
    input:
        before=stage_before,
        manifest=LAYOUT.manifest("{dataset}"),
        frames=frames_of,
        features=features_of,
        method=code_of_method,
        code=stage_code("predict"),
        lock=LOCK,
    output:
        LAYOUT.stage_index("{dataset}", "{method}", "predictions", ["{seeds}"]),
    log:
        log_of("predict", "dataset", "method", "seeds"),
    conda:
        ENVIRONMENT
    threads: SLOTS
    params:
        settings=settings("predict"),
        threads=real_threads,
    shell:
        job("predict", "dataset", "method", "seeds")


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
