"""A good method, and changes that make it wrong in one way each."""

from written_methods import METHOD, changed

__all__ = ["CODE", "CONTROLS", "GOOD", "README", "TRADE_OFF", "WRONG"]

GOOD = "good_exit"
TRADE_OFF = "trade_off: {param: threshold, cheap: 0.2, expensive: 0.9}"
# Keeps the maximum of the frames' features and stops when a gate says so.
CODE = (
    changed(
        METHOD,
        {
            "import torch\n": "from pathlib import Path\nimport torch\n",
            "Stage\n": "Stage\nfrom benchmark.sampling import equally_spaced\n",
            "    pass\n": "    threshold: float = 0.5\n",
            "num_steps = 2": "num_steps = 5",
            "        self.layer = ": "        self.exit_threshold = params.threshold\n"
            "        self.layer = ",
            "torch.tensor([[0, 7]]).expand(len(videos), 2)": "torch.from_numpy("
            "equally_spaced(videos.lengths, 5))",
            "videos.features(self.visit(videos))": "videos.features(self.visit(videos))"
            ".cummax(1).values",
            "return features": "pooled = features if state is None "
            "else torch.maximum(state, features)\n        return pooled",
        },
    )
    + """
    def exit_value(self, step, state, videos):
        with videos.component("gate"):
            logits = self.layer(state)
        return probabilities(logits, self.task.loss).amax(-1)
"""
)
README = "# {name}\n\nA method for the tests.\n"

# The check that fails, the file that is changed, and what is replaced there by what.
WRONG = {
    "no_readme": ("manifest", "README.md", {README.format(name="no_readme"): ""}),
    "no_paper": ("manifest", "method.yaml", {"kind: baseline": "kind: method"}),
    "unknown_table": ("manifest", "method.yaml", {"table1: ": "tabel1: "}),
    "writes_at_import": (
        "import",
        "method.py",
        {"import torch\n": "import torch\nPath(__file__).with_name('a.txt').write_text('x')\n"},
    ),
    "starts_a_program_at_import": (
        "import",
        "method.py",
        {"import torch\n": "import torch, subprocess\nsubprocess.run(['true'])\n"},
    ),
    "draws_at_import": ("import", "method.py", {"import torch\n": "import torch\ntorch.rand(1)\n"}),
    "logits_as_scores": ("build", "method.py", {"return scores": "return logits"}),
    "misspelt_role": ("build", "method.py", {'("backbone",)': '("backbon",)'}),
    "learns_nothing": (
        "fit",
        "method.py",
        {"return loss": "return loss.detach() + 0 * sum(p.sum() for p in self.parameters())"},
    ),
    "forgets": (
        "checkpoint",
        "method.py",
        {
            "return loss": "self.offset = getattr(self, 'offset', 0) + 0.01; return loss",
            "        return scores": "        return scores * (1 - getattr(self, 'offset', 0))",
        },
    ),
    "unseeded": (
        "seed",
        "method.py",
        {
            "task.num_classes)\n\n": "task.num_classes)\n"
            "        import random; self.layer.bias.data += random.random()\n\n"
        },
    ),
    "sees_neighbours": (
        "batch_invariance",
        "method.py",
        {"return scores": "return (scores + scores.mean(0)) / 2"},
    ),
    "stays_on_the_cpu": (
        "device",
        "method.py",
        {"return pooled": "return pooled + torch.zeros(len(videos), 1)"},
    ),
    "trains_on_the_cpu": (
        "device",
        "method.py",
        {"return loss": "return loss + (torch.zeros(len(videos)) * seen[:, 0, 0]).sum()"},
    ),
    "asks_where_it_is": (
        "device",
        "method.py",
        {"return scores": "return scores if videos.device.type == 'cpu' else 1 - scores"},
    ),
    "learns_where_it_is": (
        "device",
        "method.py",
        {"return loss": "return loss if videos.device.type == 'cpu' else loss * 2"},
    ),
    "sees_the_whole_video": (
        "no_look_ahead",
        "method.py",
        {
            "return scores": "seen = videos._sources['backbone'].frames[videos._indices]\n"
            "        return scores * seen.float().mean((1, 2, 3, 4))[:, None].to(scores) / 255"
        },
    ),
    "reads_labels": (
        "no_label_leak",
        "method.py",
        {
            "return scores": "labels = videos._sources['backbone'].targets[videos._indices]\n"
            "        labels = labels if labels.ndim == 1 else labels[:, 0]\n"
            "        return scores * (0.5 + (labels == 1)[:, None].to(scores) / 2)"
        },
    ),
    "keeps_a_diary": (
        "no_files",
        "method.py",
        {"return loss": "Path(__file__).with_name('b.txt').write_text('x'); return loss"},
    ),
    "stores_a_tensor": (  # by a library that opens the file in C
        "no_files",
        "method.py",
        {"return loss": "torch.save(loss.detach(), 'loss.pt'); return loss"},
    ),
    "opens_a_socket": (
        "no_files",
        "method.py",
        {"return loss": "import socket; socket.socket().close(); return loss"},
    ),
    "reads_elsewhere": (
        "no_files",
        "method.py",
        {"return loss": "Path('/etc/passwd').read_bytes(); return loss"},
    ),
    "looks_twice_uncharged": (
        "audited_cost",
        "method.py",
        {
            "return pooled": "first = self.visit(videos)[:, :1]\n"
            "        source, rows = videos._sources['backbone'], videos._rows\n"
            "        source.features(videos._indices, first, None, rows, '')\n"
            "        return pooled"
        },
    ),
    "trades_backwards": (
        "monotone_cost",
        "method.yaml",
        {"cheap: 0.2, expensive: 0.9": "cheap: 0.9, expensive: 0.2"},
    ),
    "opens_in_secret": (
        "frames_opened",
        "method.py",
        {
            "return pooled": "second = torch.ones(len(videos), 1, dtype=torch.long)\n"
            "        source, rows = videos._sources['backbone'], videos._rows\n"
            "        source.features(videos._indices, second, videos._meter, rows, 'backbone')\n"
            "        return pooled"
        },
    ),
}

# The check that fails, and the exit steps.
CONTROLS = {
    "good_control": (None, "np.full(test.num_videos, 2)"),
    "control_with_labels": ("no_label_leak", "1 + (targets.reshape(len(targets), -1)[:, 0] == 1)"),
    "control_beyond_the_end": ("build", "test.exit_step + 9 * (test.scores.shape[2] == 200)"),
    "control_of_chance": ("seed", "np.random.randint(1, 6, test.num_videos)"),
}
