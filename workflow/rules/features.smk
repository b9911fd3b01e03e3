# The networks' weights, and their features for every stored frame.


rule pretrain:
    input:
        frames=[LAYOUT.frames(dataset) / "index.json" for dataset in BUILTIN],
        checked=ancient(CHECKED),
        truth=[LAYOUT.videos(dataset) / "truth.jsonl" for dataset in BUILTIN],
        code=stage_code("pretrain"),
        lock=LOCK,
    output:
        LAYOUT.weights("{item}"),
    log:
        log_of("pretrain", "item"),
    wildcard_constraints:
        item=one_of(PRETRAINED),
    priority: 1
    conda:
        ENVIRONMENT
    threads: slots("pretrain")
    resources:
        **resources_of("pretrain"),
    params:
        settings=settings("pretrain"),
        threads=real_threads,
    shell:
        job("pretrain", "item")


# Where the workflow is started, which may be the only machine with a network.
rule weights:
    input:
        given=given_weights,
        code=stage_code("weights"),
        lock=LOCK,
    output:
        LAYOUT.weights("{item}"),
    log:
        log_of("weights", "item"),
    wildcard_constraints:
        item=one_of(PUBLISHED),
    priority: 2
    conda:
        ENVIRONMENT
    threads: SLOTS
    params:
        settings=settings("weights"),
        threads=real_threads,
    shell:
        job("weights", "item")


# The backbone's take all cores, since every method waits for them.
rule features:
    input:
        frames=[LAYOUT.frames(dataset) / "index.json" for dataset in FRAME_OWNERS],
        sound=sound_of_network,
        weights=weights_of,
        code=stage_code("features"),
        lock=LOCK,
    output:
        LAYOUT.features_done("{item}"),
    log:
        log_of("features", "item"),
    wildcard_constraints:
        item=one_of(PLAN.config.roles),
    priority: 1
    conda:
        ENVIRONMENT
    threads: lambda wildcards: slots("features", 2 if wildcards.item == "backbone" else 1)
    resources:
        **resources_of("features"),
    params:
        settings=settings("features"),
        threads=real_threads,
    shell:
        job("features", "item")
