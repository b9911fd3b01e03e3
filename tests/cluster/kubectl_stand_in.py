"""Plays kubectl and the cluster behind it: a Job is a process of this machine.

Its folder holds `pod.json`, and for each job its manifest, its output and, at the end, its exit
code. The first job of the rule `manifest` fails at once, as if its node had been taken away.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(os.environ["KUBECTL_STAND_IN"])


def _create(manifest):
    name = manifest["metadata"]["name"]
    lost = name.startswith("benchmark-manifest-") and not list(FOLDER.glob("benchmark-manifest-*"))
    (FOLDER / f"{name}.json").write_text(json.dumps(manifest))
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    command = ["false"] if lost else container["command"]
    with (FOLDER / f"{name}.log").open("w") as log:
        subprocess.Popen(
            ["/bin/sh", "-c", '"$@"; echo $? > "$0"', str(FOLDER / f"{name}.code"), *command],
            cwd=container["workingDir"],
            **{"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log},
            start_new_session=True,
        )


def _conditions(name):
    code = FOLDER / f"{name}.code"
    if not code.exists() or not code.read_text():
        return []
    return [{"type": "Complete" if int(code.read_text()) == 0 else "Failed", "status": "True"}]


match sys.argv[1:]:
    case ["get", "pod", _, "--output=json"]:
        print((FOLDER / "pod.json").read_text())
    case ["create", "--filename=-"]:
        _create(json.load(sys.stdin))
    case ["get", "job", name, "--output=json"]:
        print(json.dumps({"status": {"conditions": _conditions(name)}}))
    case other:
        sys.exit(f"the stand-in knows no {other}")
