"""nginx with one worker: the origin, which serves a folder, or another configuration."""

import signal
import socket
import subprocess
import time

import load
import machine

CONFIGURATION = """
daemon off;
master_process off;
worker_processes 1;
pid {work}/nginx.pid;
error_log {work}/nginx.log warn;
events { worker_connections 4096; }
http {
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000000;
    client_body_temp_path {work}/temp;
    proxy_temp_path {work}/temp;
    fastcgi_temp_path {work}/temp;
    uwsgi_temp_path {work}/temp;
    scgi_temp_path {work}/temp;
    types {
        application/vnd.apple.mpegurl m3u8;
        video/mp2t ts;
    }
    server {
        listen 127.0.0.1:{port} backlog=4096;
        root {content};
    }
}
"""


class Nginx:
    """A running nginx. In its configuration {port} and the like are replaced."""

    def __init__(self, work, chosen, configuration=CONFIGURATION, **values):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        for name, value in {**values, "work": work, "port": self.port}.items():
            configuration = configuration.replace("{" + name + "}", str(value))
        file = work / f"nginx-{self.port}.conf"
        file.write_text(configuration)
        nginx, environment = load.program("usr/sbin/nginx")
        with machine.on(chosen):
            self.process = subprocess.Popen([nginx, "-e", work / "nginx.log", "-p", work, "-c", file], env=environment,
                                            stdin=subprocess.DEVNULL)
        machine.participants.add(self.process.pid)
        self.url = f"http://127.0.0.1:{self.port}"
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"nginx did not start: {work / 'nginx.log'}")

    def stop(self):
        """Ends it, by its process id."""
        machine.participants.discard(self.process.pid)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)


def origin(work, content):
    """The origin of a folder, on the cores that are not the proxy's."""
    return Nginx(work, machine.cores()[1], content=content)
