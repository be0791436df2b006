"""Apache Traffic Server with its plug-in uri_signing: another implementation of RFC 9246, before the tests' origin."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from support import places
from support.own_ports import own_port

RECORDS = """
CONFIG proxy.config.http.server_ports STRING {port}:ip-in=127.0.0.1
CONFIG proxy.config.http.cache.http INT 0
CONFIG proxy.config.url_remap.remap_required INT 1
CONFIG proxy.config.url_remap.pristine_host_hdr INT 1
CONFIG proxy.config.body_factory.template_sets_dir STRING {etc}/body_factory
CONFIG proxy.config.exec_thread.autoconfig.enabled INT 0
CONFIG proxy.config.exec_thread.limit INT 1
"""


class TrafficServer:
    """A running Traffic Server that forwards requests with a valid token to `origin`, and renews tokens. `keys` are its
    issuers' sets of keys, of which one has `renewal_kid`."""

    def __init__(self, origin, keys):
        # Folders of the tests' run are closed to other users.
        folder, unpacked = Path(tempfile.mkdtemp(prefix="traffic-server-")), places.traffic_server()
        self.folder = folder
        self.port = own_port()
        self.url = f"http://127.0.0.1:{self.port}"
        etc = folder / "etc"
        for one in (etc, folder / "var/log", folder / "var/cache", folder / "run"):
            one.mkdir(parents=True)
        packaged = unpacked / "etc/trafficserver"
        shutil.copytree(packaged / "body_factory", etc / "body_factory")
        shutil.copy(packaged / "ip_allow.yaml", etc)
        (etc / "storage.config").touch()
        (etc / "plugin.config").touch()
        (etc / "keys.json").write_text(json.dumps(keys))
        (etc / "records.config").write_text(RECORDS.format(port=self.port, etc=etc) + self.user(folder))
        (etc / "remap.config").write_text(
            f"map {self.url}/ http://127.0.0.1:{origin}/ @plugin=uri_signing.so @pparam={etc}/keys.json\n")
        layout = {"prefix": unpacked / "usr", "exec_prefix": unpacked / "usr", "bindir": unpacked / "usr/bin",
                  "sbindir": unpacked / "usr/bin", "sysconfdir": etc, "datadir": folder,
                  "libexecdir": unpacked / "usr/lib/trafficserver/modules", "localstatedir": folder / "var",
                  "runtimedir": folder / "run", "logdir": folder / "var/log", "cachedir": folder / "var/cache"}
        (folder / "runroot.yaml").write_text("".join(f"{name}: {path}\n" for name, path in layout.items()))
        libraries = [unpacked / "usr/lib/trafficserver", *(unpacked / "usr/lib").glob("*-linux-gnu"),
                     *(unpacked / "lib").glob("*-linux-gnu")]
        self.log = folder / "traffic_server.log"
        environment = {**os.environ, "TS_RUNROOT": str(folder / "runroot.yaml"),
                       "LD_LIBRARY_PATH": ":".join(map(str, libraries))}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([unpacked / "usr/bin/traffic_server"], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env=environment)
        for _ in range(600):
            if self.process.poll() is not None:
                raise RuntimeError(self.log.read_text())
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.05)
        raise RuntimeError("Traffic Server never listened")

    @staticmethod
    def user(folder):
        """It refuses to serve as root: it changes to a user that then needs its folders."""
        if os.geteuid() != 0:
            return ""
        for one in (folder, *folder.rglob("*")):
            one.chmod(0o777 if one.is_dir() else 0o666)
        return "CONFIG proxy.config.admin.user_id STRING nobody\n"

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.folder)
