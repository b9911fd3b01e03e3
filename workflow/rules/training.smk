# Training: one job for a method on a dataset and a block of seeds; finished stages are found again.


rule train:
    input:
        manifest=LAYOUT.manifest("{dataset}"),
        frames=frames_of,
        features=features_of,
        checked=ancient([*CHECKED, *FEATURES]),
        method=code_of_method,
        code=stage_code("train"),
        lock=LOCK,
    output:
        LAYOUT.stage_index("{dataset}", "{method}", "training", ["{seeds}"]),
    log:
        log_of("train", "dataset", "method", "seeds"),
    conda:
        ENVIRONMENT
    threads: SLOTS
    params:
        settings=settings("train"),
        threads=real_threads,
    shell:
        job("train", "dataset", "method", "seeds")


# Exit controls wait for the methods whose runs they re-read, so those are trained first.
use rule train as train_source with:
    wildcard_constraints:
        method="|".join(SOURCES),
    priority: 1


ruleorder: train_source > train
