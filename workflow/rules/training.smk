# Training and, in the same job, the predictions of what was trained: one job for a method on a
# dataset and a block of seeds. Finished stages of training are found again.


rule train:
    input:
        manifest=LAYOUT.manifest("{dataset}"),
        frames=frames_of,
        sound=sound_of,
        features=features_of,
        released=released_of,
        checked=ancient([*CHECKED, *FEATURES]),
        method=code_of_method,
        code=stage_code("predict"),
        lock=LOCK,
    output:
        LAYOUT.stage_index("{dataset}", "{method}", "training", ["{seeds}"]),
        LAYOUT.stage_index("{dataset}", "{method}", "predictions", ["{seeds}"]),
    log:
        log_of("train", "dataset", "method", "seeds"),
    wildcard_constraints:
        method=one_of(set(METHODS) - set(CONTROLS)),
    conda:
        ENVIRONMENT
    threads: slots("train")
    resources:
        **resources_of("train"),
    params:
        settings=settings("train"),
        threads=real_threads,
    shell:
        job("train", "dataset", "method", "seeds")


# Exit controls wait for the methods whose runs they re-read, so those are trained first.
use rule train as train_source with:
    wildcard_constraints:
        method=one_of(SOURCES),
    priority: 1


ruleorder: train_source > train
