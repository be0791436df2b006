"""Tests the first start and later ones: files and their modes, a killed first start, a second server, signals, the master key."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time

import pytest
import requests
from cryptography import x509

from support import places
from support.control_plane import CONTROL, SECURITY, ControlPlane, story, until

FILES = {"ca.pem", "ca.key", "server.pem", "server.key", "node-staging.pem", "node-staging.key", "node-production.pem",
         "node-production.key", "master.key", "edgerc", "envoy-staging.yaml", "envoy-production.yaml", "playlock.db"}


def names(plane, file):
    """Names, addresses and URIs in a certificate of the folder."""
    certificate = x509.load_pem_x509_certificate((plane.data / file).read_bytes())
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in found}


def test_the_first_start_makes_everything(control_plane):
    """Every file, for its owner only; the printed lines name them; certificates are for their purposes."""
    assert {file.name for file in control_plane.data.iterdir()} >= FILES
    for file in control_plane.data.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file
    assert control_plane.data.stat().st_mode & 0o777 == 0o700
    assert not (control_plane.data / "first-start").exists()
    assert names(control_plane, "server.pem") == {"localhost", "127.0.0.1", "::1", "spiffe://playlock/server"}
    for network in ["staging", "production"]:
        assert names(control_plane, f"node-{network}.pem") == {f"spiffe://playlock/network/{network}"}
        text = (control_plane.data / f"envoy-{network}.yaml").read_text()
        assert f"port_value: {control_plane.xds_port}" in text and f"{control_plane.data}/node-{network}.pem" in text
    host = control_plane.url.removeprefix("https://")
    assert f"host = {host}\n" in (control_plane.data / "edgerc").read_text()
    assert "initial_fetch_timeout: 0s" in control_plane.greeting
    assert requests.get(f"{control_plane.health}/live", timeout=10).text == "live\n"
    assert requests.get(f"{control_plane.health}/ready", timeout=10).status_code == 200


def test_nothing_is_the_same_in_two_folders(control_planes):
    """There is no default secret."""
    first, second = control_planes(), control_planes()
    for file in ["master.key", "ca.key", "server.key", "node-staging.key", "edgerc"]:
        assert (first.data / file).read_text() != (second.data / file).read_text(), file
    assert first.login.partition("#")[2] != second.login.partition("#")[2]


@pytest.mark.both_databases
def test_a_second_start_goes_on(control_plane):
    """Secrets stay; only the host in edgerc follows the port; another name gets into the certificate."""
    before = {name: (control_plane.data / name).read_bytes() for name in FILES - {"playlock.db", "edgerc"}}
    login = control_plane.login
    control_plane.restart()
    assert control_plane.login is None
    assert {name: (control_plane.data / name).read_bytes() for name in before} == before
    # The first login still works, once.
    assert control_plane.client().send("POST", "/login", {"code": login.partition("#")[2]}).status_code == 204
    control_plane.stop()
    control_plane.options += ("--host", "control.example")
    control_plane.start()
    assert f"host = {control_plane.url.removeprefix('https://')}\n" in (control_plane.data / "edgerc").read_text()
    assert control_plane.client().get(f"{SECURITY}/policies").status_code == 200
    assert "control.example" in names(control_plane, "server.pem")


@pytest.mark.parametrize("number, word", [(signal.SIGTERM, "terminated"), (signal.SIGINT, "interrupted")])
def test_a_signal_ends_it_cleanly(control_plane, number, word):
    """Exit status 0, although a client holds a connection."""
    client = control_plane.client()
    assert client.get(f"{SECURITY}/policies").status_code == 200
    control_plane.process.send_signal(number)
    assert control_plane.process.wait(timeout=20) == 0, word
    assert "event=stopped" in control_plane.stderr()


def run(plane, *arguments, environment=None):
    """`playlock` with the server's folder, while its server may run."""
    return plane.command(*arguments, env={**os.environ, **(environment or {})})


def serve(plane, *more, environment=None):
    """Another server on the same folder; it must not start."""
    ports = ["--listen", "127.0.0.1:0", "--xds-listen", "127.0.0.1:0", "--health-listen", "127.0.0.1:0"]
    done = run(plane, "serve", "--data", plane.data, *ports, *plane.database, *more, environment=environment)
    assert done.returncode == 2 and done.stdout == "", done
    return done.stderr


def test_what_keeps_it_from_starting_is_named(control_plane, tmp_path):
    """A locked folder, a taken port, a file that is gone, a wrong master key, a wrong option."""
    assert "has locked this folder" in serve(control_plane)
    control_plane.stop()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run(control_plane, "serve", "--data", control_plane.data, "--listen", address, "--xds-listen", "127.0.0.1:0",
                   "--health-listen", "127.0.0.1:0")
        assert done.returncode == 2 and f"--listen: {address}" in done.stderr
    assert "master key" in serve(control_plane, environment={"PLAYLOCK_MASTER_KEY": "ab" * 32})
    assert "64 hex digits" in serve(control_plane, environment={"PLAYLOCK_MASTER_KEY": "ab"})
    assert "--module" in serve(control_plane, "--module", "https://example.com/playlock.wasm")
    assert "window" in serve(control_plane, "--edgegrid-window", "0")
    (tmp_path / "wrong.json").write_text("[{]")
    assert "wrong.json" in serve(control_plane, "--dmas", str(tmp_path / "wrong.json"))
    for file in ["master.key", "ca.pem"]:
        kept = (control_plane.data / file).read_bytes()
        (control_plane.data / file).unlink()
        assert f"{file}: not found" in serve(control_plane)
        (control_plane.data / file).write_bytes(kept)
    assert not re.search(r"panicked", control_plane.stderr())


def test_a_killed_first_start_is_continued(control_planes, tmp_path_factory):
    """Whenever it is killed, the next start ends up with one client and a folder that works."""
    for delay in [0.0, 0.02, 0.05, 0.1, 0.2]:
        folder = tmp_path_factory.mktemp("killed-")
        command = [str(places.command()), "serve", "--data", str(folder / "control"), "--listen", "127.0.0.1:0", "--xds-listen",
                   "127.0.0.1:0", "--health-listen", "127.0.0.1:0"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.kill()
        process.wait()
        plane = ControlPlane(folder)
        try:
            assert len(plane.client().get(f"{CONTROL}/clients").json()) == 1
            assert {file.name for file in plane.data.iterdir()} >= FILES
        finally:
            plane.stop(kill=True)


@pytest.mark.both_databases
def test_the_master_key_is_replaced(control_plane):
    """Not while the server runs; afterwards with the same data, and not with the old key."""
    client = control_plane.client()
    assert client.post(f"{SECURITY}/policies", story("policy-post")).status_code == 201
    before = client.get(f"{SECURITY}/policies").json()
    assert run(control_plane, "master-key", "rotate", "--data", control_plane.data, *control_plane.database).returncode == 2
    control_plane.stop()
    old = (control_plane.data / "master.key").read_text()
    done = run(control_plane, "master-key", "rotate", "--data", control_plane.data, *control_plane.database)
    assert done.returncode == 0 and old not in done.stdout, done
    new = (control_plane.data / "master.key").read_text()
    assert new != old and (control_plane.data / "master.key.old").read_text() == old
    assert not (control_plane.data / "master.key.next").exists()
    (control_plane.data / "master.key").unlink()
    assert "master key" in serve(control_plane, environment={"PLAYLOCK_MASTER_KEY": old})
    # From the environment, with no file at all.
    control_plane.environment["PLAYLOCK_MASTER_KEY"] = new
    control_plane.start()
    assert control_plane.client().get(f"{SECURITY}/policies").json() == before
    assert not (control_plane.data / "master.key").exists()


def test_envoys_need_a_certificate(control_plane):
    """The listener of Envoys refuses who has none, and who has one of another authority."""
    context = ssl.create_default_context(cafile=control_plane.ca)
    context.check_hostname = False

    def connects(certificate=None):
        if certificate:
            context.load_cert_chain(control_plane.data / f"{certificate}.pem", control_plane.data / f"{certificate}.key")
        with socket.create_connection(("127.0.0.1", control_plane.xds_port), timeout=10) as plain:
            try:
                with context.wrap_socket(plain, server_hostname="localhost") as stream:
                    stream.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
                    return bool(stream.recv(1))
            except (ssl.SSLError, ConnectionError):
                return False

    assert not connects()
    assert connects("node-staging")


@pytest.mark.both_databases
def test_metrics(control_plane):
    """Revisions, requests and the size of the database; nothing secret."""
    assert control_plane.client().post(f"{SECURITY}/policies", story("policy-post")).status_code == 201
    until(lambda: 'playlock_control_revision{network="staging"} 2' in requests.get(f"{control_plane.health}/metrics", timeout=10).text)
    text = requests.get(f"{control_plane.health}/metrics", timeout=10).text
    assert re.search(r'playlock_control_requests_total\{status="2xx"\} [1-9]', text)
    assert re.search(r"playlock_control_database_bytes [1-9]", text)
    assert json.dumps(story("policy-post")["tokenAuth"]["password"]) not in text
