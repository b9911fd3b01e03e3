# The backbone's weights, and its features for every stored frame.


rule pretrain:
    input:
        frames=[LAYOUT.frames(dataset) / "index.json" for dataset in BUILTIN],
        checked=ancient(CHECKED),
        truth=[LAYOUT.videos(dataset) / "truth.jsonl" for dataset in BUILTIN],
        code=stage_code("pretrain"),
        lock=LOCK,
    output:
        LAYOUT.backbone_weights,
    log:
        log_of("pretrain"),
    conda:
        ENVIRONMENT
    threads: SLOTS
    params:
        settings=settings("pretrain"),
        threads=real_threads,
    shell:
        job("pretrain")


rule features:
    input:
        frames=LAYOUT.frames("{dataset}") / "index.json",
        weights=(
            LAYOUT.backbone_weights
            if PLAN.config.backbone.weights == "pretrained"
            else PLAN.config.backbone.file or []
        ),
        code=stage_code("features"),
        lock=LOCK,
    output:
        LAYOUT.features("{dataset}") / "index.json",
    log:
        log_of("features", "dataset"),
    conda:
        ENVIRONMENT
    threads: 2 * SLOTS
    params:
        settings=settings("features"),
        threads=real_threads,
    shell:
        job("features", "dataset")
