"""Debian's nginx as a plain origin, which reports for each response its file and the request line."""

import socket
import subprocess
import time
from pathlib import Path

from support import places
from support.own_ports import own_port

CONFIG = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off; root {root}; large_client_header_buffers 8 64k;
  client_body_temp_path {folder}/t; proxy_temp_path {folder}/t; fastcgi_temp_path {folder}/t; uwsgi_temp_path {folder}/t; scgi_temp_path {folder}/t;
  types {{ application/vnd.apple.mpegurl m3u8; video/mp2t ts; }}
  default_type application/octet-stream;
  server {{
    listen 127.0.0.1:{port};
    add_header X-Served $request_filename always;
    add_header X-Line "$request" always;
    {locations}
  }}
}}
"""


class Nginx:
    """A running nginx that serves `files` (bodies by path) from its own folder, with additional directives."""

    def __init__(self, folder, files, locations=""):
        folder = Path(folder)
        self.root = folder / "root"
        for path, body in files.items():
            file = self.root / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
        self.port = own_port()
        (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, root=self.root, port=self.port,
                                                            locations=locations))
        with open(folder / "nginx.log", "wb") as log:
            self.process = subprocess.Popen([places.nginx(), "-p", str(folder), "-e", str(folder / "error.log"), "-c",
                                             str(folder / "nginx.conf")], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        for _ in range(600):
            if self.process.poll() is not None:
                raise RuntimeError((folder / "nginx.log").read_text() + (folder / "error.log").read_text())
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.05)
        raise RuntimeError("nginx never listened")

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
