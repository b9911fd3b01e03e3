# Predictions, one row a video, and what follows from them without a model.


def stage_before(wildcards):
    """Return what a prediction reads: its training, or the predictions of a control's source."""
    dataset, method = wildcards.dataset, wildcards.method
    source = PLAN.methods[method].manifest.source
    if source is None:
        return LAYOUT.stage_index(dataset, method, "training", [wildcards.seeds])
    blocks = PLAN.prediction_blocks(source.method)
    return [
        LAYOUT.stage_index(dataset, source.method, "predictions", block)
        for block in blocks
    ]


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
    threads: SLOTS
    params:
        settings=settings("predict"),
        threads=real_threads,
    shell:
        job("predict", "dataset", "method", "seeds")


def predictions_of(wildcards):
    """Return the prediction indices of all seeds."""
    dataset, method = wildcards.dataset, wildcards.method
    blocks = PLAN.prediction_blocks(method)
    return [
        LAYOUT.stage_index(dataset, method, "predictions", block) for block in blocks
    ]


rule evaluate:
    input:
        predictions=predictions_of,
        manifest=LAYOUT.manifest("{dataset}"),
        code=stage_code("evaluate"),
    output:
        LAYOUT.results_index("{dataset}", "{method}"),
    log:
        log_of("evaluate", "dataset", "method"),
    threads: SLOTS
    params:
        settings=settings("evaluate"),
        threads=real_threads,
    shell:
        job("evaluate", "dataset", "method")
