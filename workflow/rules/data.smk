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
    conda:
        ENVIRONMENT
    threads: 2 * SLOTS
    params:
        settings=settings("videos"),
        threads=real_threads,
    shell:
        job("videos", "dataset")


rule manifest:
    input:
        listed=listed_videos,
        code=stage_code("manifest"),
    output:
        LAYOUT.manifest("{dataset}"),
    log:
        log_of("manifest", "dataset"),
    conda:
        ENVIRONMENT
    threads: SLOTS
    params:
        settings=settings("manifest"),
        threads=real_threads,
    shell:
        job("manifest", "dataset")


# Only where a profile asks for several: see parts_of_frames.
rule frames_part:
    input:
        manifest=LAYOUT.manifest("{dataset}"),
        code=stage_code("frames"),
        lock=LOCK,
    output:
        LAYOUT.frames_part("{dataset}", "{part}", PLAN.config.extraction_parts),
    log:
        log_of("frames_part", "dataset", "part"),
    conda:
        ENVIRONMENT
    threads: 2 * SLOTS
    params:
        settings=settings("frames"),
        threads=real_threads,
    shell:
        job("frames_part", "dataset", "part")


# Decodes what is missing, all of it where there are no parts, and makes the store a whole.
rule frames:
    input:
        manifest=LAYOUT.manifest("{dataset}"),
        parts=parts_of_frames,
        code=stage_code("frames"),
        lock=LOCK,
    output:
        LAYOUT.frames("{dataset}") / "index.json",
    log:
        log_of("frames", "dataset"),
    conda:
        ENVIRONMENT
    threads: 2 * SLOTS
    params:
        settings=settings("frames"),
        threads=real_threads,
    shell:
        job("frames", "dataset")


# Only where a method asks for a network that listens.
rule sound:
    input:
        manifest=LAYOUT.manifest("{dataset}"),
        code=stage_code("sound"),
        lock=LOCK,
    output:
        LAYOUT.sound("{dataset}") / "index.json",
    log:
        log_of("sound", "dataset"),
    conda:
        ENVIRONMENT
    threads: 2 * SLOTS
    params:
        settings=settings("sound"),
        threads=real_threads,
    shell:
        job("sound", "dataset")
