# From videos and labels to stored frames. No later stage opens a video.


rule videos:
    input:
        code=stage_code("videos"),
        lock=LOCK,
    output:
        labels=LAYOUT.videos("{dataset}") / "labels.csv",
        truth=LAYOUT.videos("{dataset}") / "truth.jsonl",
    log:
        log_of("videos", "dataset"),
    threads: 2 * SLOTS
    params:
        settings=settings("videos"),
        threads=real_threads,
    shell:
        job("videos", "dataset")


def listed_videos(wildcards):
    """Return what a manifest is built from: the generator's list, or another manifest."""
    dataset = PLAN.config.datasets[wildcards.dataset]
    if dataset.frames_of:
        return LAYOUT.manifest(dataset.frames_of)
    return LAYOUT.videos(wildcards.dataset) / "labels.csv" if dataset.builtin else []


rule manifest:
    input:
        listed=listed_videos,
        code=stage_code("manifest"),
    output:
        LAYOUT.manifest("{dataset}"),
    log:
        log_of("manifest", "dataset"),
    threads: SLOTS
    params:
        settings=settings("manifest"),
        threads=real_threads,
    shell:
        job("manifest", "dataset")


rule frames:
    input:
        manifest=LAYOUT.manifest("{dataset}"),
        code=stage_code("frames"),
        lock=LOCK,
    output:
        LAYOUT.frames("{dataset}") / "index.json",
    log:
        log_of("frames", "dataset"),
    threads: 2 * SLOTS
    params:
        settings=settings("frames"),
        threads=real_threads,
    shell:
        job("frames", "dataset")
