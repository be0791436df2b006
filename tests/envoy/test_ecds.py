"""Tests ECDS: replacing one file under load changes policies, secrets and revocations, and no request fails."""

import json
import os
import re
import subprocess
import threading

import pytest

from support import curl, load, places, tokens
from support.dynamic import Dynamic, ecds
from support.edge import NEWER, SECRET, Edge, document, environment, policy
from support.hls import Viewer
from support.proxy import WAIT, Proxy

LONG = bytes(range(256)) * 4000
STATISTICS = "extension_config_discovery.http_filter.playlock."


@pytest.fixture
def dynamic(site, origins, tmp_path):
    """Starts such edges."""
    started = []

    def start(config, **how):
        started.append(Dynamic(tmp_path, site, origins["h1"], config, **how))
        return started[-1]

    yield start
    for one in started:
        one.proxy.stop()
        assert one.proxy.process.returncode == 0, "Envoy did not end by being told to"
        assert not re.search(r"panicked|in-VM backtrace", one.proxy.log_text())


def reason(response):
    """The reason of a refusal; the status of any other response."""
    return json.loads(response.body)["type"] if response.status == 403 else response.status


def password(number):
    """The password in force after that many replacements."""
    return tokens.STRANGER if number % 2 else tokens.PASSWORD


def edition(number, revoked):
    """The document after that many replacements: secrets swapped, another policy, another password, sessions
    revoked."""
    secrets = [SECRET, NEWER] if number % 2 == 0 else [NEWER, SECRET]
    made = policy("vod", {"password": password(number), "transitionPassword": tokens.TRANSITION},
                  {"secret": secrets[0], "transitionSecret": secrets[1]}, revocation={"sessionIds": revoked})
    added = [policy(f"added{index}") for index in range(1, number + 1)]
    for one in added:
        one["tokenAuth"]["password"], one["mediaEncryption"] = tokens.PASSWORD, {"enabled": True, "secret": SECRET}
    return document(made, *added, path=None if added else "/vod/...")


class Guest:
    """A viewer with a session of its own on `/vod`, and its player's requests."""

    def __init__(self, on, path):
        self.edge = on.edge
        response = self.edge.get(self.edge.link(path, tokens.by_python(acl="/vod/*", key=tokens.TRANSITION)))
        assert response.status == 200, response.body
        self.session = on.proxy.logged(response.id)["session"]
        token = re.search(r"hdntl=([^\s\"&]+)", response.text)[1]
        self.url = f"{self.edge.url}{path}?hdntl={token}"
        self.viewer = Viewer()
        self.playlist = self.viewer.playlist(self.url)
        (self.key,) = self.playlist.keys
        self.viewer.key(self.key)

    @property
    def urls(self):
        return [self.url, self.key.url, *(item.url for item in self.playlist.items)]

    def download(self, done):
        """Requests the first segment in a thread; `done` receives the response."""
        thread = threading.Thread(target=lambda: done.append(curl.fetch(self.playlist.items[0].url)), daemon=True)
        thread.start()
        return thread


def test_replacing_the_file_changes_everything_and_fails_nothing(dynamic, site):
    """Ten replacements under load, with bad ones in between, each during a long download."""
    path = site.stream("vod", a_ts=os.urandom(70_000), b_ts=os.urandom(300), c_ts=b"")
    site.put("/vod/long.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nlong.ts\n#EXT-X-ENDLIST\n")
    for number in range(1, 11):
        site.stream(f"added{number}", a_ts=b"x")
    on = dynamic(edition(0, []))
    edge = on.edge
    wanted = {url: edge.get(url).body for url in Guest(on, path).urls}
    assert len(wanted) == 5 and all(wanted.values())
    running = load.Load(wanted, clients=6)
    try:
        revoked = []
        for number in range(1, 11):
            guest, rest, done = Guest(on, "/vod/long.m3u8"), threading.Event(), []
            site.put("/vod/long.ts", LONG, until=rest)
            download = guest.download(done)
            on.until(lambda: edge.asked("/vod/long.ts"), "asked for the long file")
            site.requests.clear()
            fresh = edge.link(path, tokens.by_python(acl="/*", key=password(number)))
            added = edge.link(f"/added{number}/index.m3u8")
            assert (reason(edge.get(fresh)), reason(edge.get(added))) == ("signature", "unassigned")
            if number == 5:
                refuse(on)
                assert (reason(edge.get(fresh)), reason(edge.get(added))) == ("signature", "unassigned")
            revoked.append(guest.session)
            on.replace(edition(number, revoked))
            for url in guest.urls:
                on.until(lambda: reason(edge.get(url)) == "revoked", f"revoked the session: {url}")
            assert (edge.get(fresh).status, edge.get(added).status) == (200, 200)
            mark = running.answers
            on.until(lambda: running.answers > mark + 50, "answered the load")
            assert download.is_alive()
            rest.set()
            download.join(load.TIMEOUT)
            (response,) = done
            assert (response.status, response.exit) == (200, 0), "a response under way ends as it began"
            assert guest.viewer.plain(guest.playlist.items[0], response) == LONG
    finally:
        running.stop()
    assert not running.failures, (len(running.failures), running.failures[:3])
    print(f"{running.answers} answers during 10 replacements")


def refuse(on):
    """Puts bad files in place: each is refused, with its reason in the log, and the version in force stays."""
    version, good = on.proxy.version(), on.file.read_text()

    def rejections():
        found = dict(line.split(": ", 1) for line in on.proxy.admin(f"/stats?filter={STATISTICS}").splitlines())
        return int(found[f"{STATISTICS}update_rejected"]) + int(found[f"{STATISTICS}update_failure"])

    for bad, said in [
        (good.replace('"policyName": "vod"', '"policyNam": "vod"'), "configuration refused: policies[0].policyNam: unknown field"),
        (good.replace(tokens.TRANSITION, "c31"), "configuration refused: policies[0].tokenAuth.transitionPassword: found 3"),
        (good.replace('"assignments"', '"assignments'), "configuration refused: "),
        (good.replace("resources:", "resources: ["), "Filesystem config update failure"),
    ]:
        assert bad != good
        before, mark = rejections(), on.proxy.log.stat().st_size
        on.new.write_text(bad)
        os.replace(on.new, on.file)
        on.until(lambda: rejections() == before + 1, "refused the file")
        log = on.proxy.log_text(mark)
        assert said in log and tokens.TRANSITION not in log, log
        assert on.proxy.version() == version


def test_without_a_good_file_every_request_is_refused(site, origins, tmp_path, dynamic):
    """Envoy starts all the same, and serves as soon as the first good file is there."""
    path = site.stream("vod", a_ts=b"a")
    on = dynamic(edition(0, []), ready="policies: none")
    assert on.edge.get(on.edge.link(path)).status == 500 and not on.edge.asked()
    on.replace(edition(0, []))
    on.until(lambda: on.edge.get(on.edge.link(path)).status == 200, "let the viewer in")


def check(file):
    """`playlock check --envoy` of a file: (exit status, standard error)."""
    run = subprocess.run([places.command(), "check", "--envoy", file], capture_output=True, text=True, timeout=WAIT)
    return run.returncode, run.stderr


def test_a_module_from_elsewhere_takes_the_filter_away(dynamic, site):
    """The reason why `playlock check --envoy` rejects `code.remote`: Envoy accepts such a file, fetches nothing, and
    serves the origin's plaintext with 200 to everyone. No setting of the filter prevents this."""
    plain = b"G" * 188
    site.stream("vod", a_ts=plain)
    on = dynamic(edition(0, []))
    assert reason(on.edge.get("/vod/a.ts")) == "missing" and not on.edge.asked("/vod/a.ts")
    assert check(on.file) == (0, "")
    local = re.search(r"code: \{ local: .* \}", on.file.read_text())[0]
    remote = f'code: {{ remote: {{ http_uri: {{ uri: "http://origin/playlock.wasm", cluster: origin, timeout: 1s }}, sha256: "{"00" * 32}" }} }}'
    bad = re.sub(r'version_info: "\w+"', 'version_info: "remote"', on.file.read_text().replace(local, remote))
    assert "failure_policy: FAIL_RELOAD" in bad
    on.new.write_text(bad)
    os.replace(on.new, on.file)
    on.until(lambda: on.proxy.version() == "remote", "took the file")
    on.until(lambda: on.edge.get("/vod/a.ts").status == 200, "dropped the filter")
    assert on.edge.get("/vod/a.ts").body == plain and not on.edge.asked("/playlock.wasm")
    status, said = check(on.file)
    assert status == 1 and "vm_config.code.remote: a remote module" in said
    # The way back is a good file.
    on.replace(edition(0, []))
    on.until(lambda: reason(on.edge.get("/vod/a.ts")) == "missing", "took the filter back")


def test_secrets_in_the_environment_change_with_the_file(dynamic, site):
    """`--with-secrets`: the document names variables, the file contains their values."""
    path = site.stream("vod", a_ts=b"a")
    on = dynamic(document(), environment=environment(), options=["--with-secrets"])
    before = on.edge.link(path)
    assert on.edge.get(before).status == 200
    changed = dict(environment(), PLAYLOCK_PASSWORD=tokens.STRANGER)
    on.replace(document(), environment=changed, options=["--with-secrets"])
    on.until(lambda: reason(on.edge.get(before)) == "signature", "took the new password")
    assert on.edge.get(on.edge.link(path, tokens.by_python(acl="/*", key=tokens.STRANGER))).status == 200


def test_what_the_filter_would_refuse_is_not_written(tmp_path):
    """Nothing else is written either: the file is empty, so that nobody mistakes it for a good one."""
    status, said = ecds(document(policy("vod", {"sessionTtl": "soon"})), tmp_path / "ecds.new", environment())
    assert status == 2 and "policies[0].tokenAuth.sessionTtl" in said
    assert (tmp_path / "ecds.new").read_bytes() == b""


def test_the_example_is_what_the_command_writes_and_works(dynamic, site, origins, tmp_path):
    """`envoy/dynamic.yaml` with `envoy/ecds.yaml`, on free ports."""
    example = places.REPOSITORY / "envoy"
    written = subprocess.run([places.command(), "ecds", "--config", str(example / "policies.json"), "--module", "target/playlock.wasm"],
                             capture_output=True, text=True)
    assert written.stdout == (example / "ecds.yaml").read_text(), "write envoy/ecds.yaml anew"
    text = (example / "dynamic.yaml").read_text()
    for mark, port in (("ADMIN", 0), ("EDGE", 0), ("ORIGIN", origins["h1"].port)):
        text, count = re.subn(rf"port_value: \d+ (.*#: {mark})$", rf"port_value: {port} \1", text, flags=re.M)
        assert count == 1, mark
    file = tmp_path / "ecds.yaml"
    file.write_text(written.stdout.replace("target/playlock.wasm", places.wasm()))
    proxy = Proxy(tmp_path, text.replace("envoy/ecds.yaml }", f"{file} }}"), environment={
        "PLAYLOCK_PASSWORD": tokens.PASSWORD, "PLAYLOCK_SECRET": SECRET})
    try:
        edge = Edge(proxy, site, True, "h1")
        path = site.stream("vod", a_ts=b"a" * 100)
        viewer = Viewer()
        item = viewer.playlist(edge.link(path)).items[0]
        assert viewer.plain(item) == b"a" * 100
        assert edge.get(path).status == 403
    finally:
        proxy.stop()
