"""Envoys whose policies come from a control plane, configured by the lines that it writes; and ways to come between them."""

import contextlib
import re
import socket
import threading

import yaml

from support import places
from support.control_plane import CONTROL, SECURITY, until
from support.own_ports import own_port
from support.proxy import Proxy, bootstrap

SOON = 60  # seconds until an Envoy that compiles the module for the first time counts as late


def lines(plane, network):
    """The lines for Envoys of a network: (members of the top level, the filter's entry, the clusters: the server's, and that of
    leases, if it counts them)."""
    text = (plane.data / f"envoy-{network}.yaml").read_text()
    top, filters, clusters = (yaml.safe_load(part) for part in re.split(r"^(?=# In )", text, flags=re.M))
    (entry,) = filters
    return top, entry, clusters


class Node(Proxy):
    """An Envoy of a network. Its folder has the module as `playlock.wasm`, unless it is missing."""

    def __init__(self, directory, plane, network, name, origin, module=True, warm=True, through=None, port=None, change=None,
                 environment=None):
        """`through`: the port of a server that leads to the control plane. `warm`: wait until it has its policies.
        `change`: changes the configuration."""
        directory.mkdir(exist_ok=True)
        # Of the Envoy that ran here before.
        (directory / "admin").unlink(missing_ok=True)
        self.name, self.network, self.warm, self.module = name, network, warm, directory / "playlock.wasm"
        if module:
            self.add_module()
        top, entry, clusters = lines(plane, network)
        if through:
            (endpoint,) = clusters[0]["load_assignment"]["endpoints"][0]["lb_endpoints"]
            endpoint["endpoint"]["address"]["socket_address"]["port_value"] = through
        made = bootstrap(origin.port, "h1", [entry], directory / "access.log")
        made.update(top, node={"id": name, "cluster": "test"}, stats_flush_interval="0.5s")
        made["static_resources"]["clusters"] += clusters
        port = port or own_port()
        made["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"] = port
        if change:
            change(made)
        super().__init__(directory, made, folder=directory, environment=environment)

    def _ready(self):
        return not self.warm or super()._ready()

    def live(self):
        """Whether the listeners are open."""
        return super()._ready()

    def add_module(self):
        """Puts the module into place."""
        if not self.module.exists():
            self.module.symlink_to(places.wasm())

    def statistic(self, name):
        """A statistic of Envoy's own."""
        found = [line for line in self.admin(f"/stats?filter={name}").splitlines() if line.startswith(f"{name}: ")]
        return int(found[0].rpartition(" ")[2]) if found else 0


class Fleet:
    """The control plane as a person uses it who watches its nodes."""

    def __init__(self, plane):
        self.plane, self.client = plane, plane.client()

    def send(self, method, path, document=None):
        """A request that has to work: its JSON, if it has any."""
        response = self.client.send(method, path, document)
        assert response.ok, (response.status_code, response.text)
        return response.json() if response.content else None

    def policy(self, document, number=None, promote=False):
        """Creates a policy, or replaces it. Returns its number."""
        document = dict(document, promote=promote)
        if number:
            self.send("PUT", f"{SECURITY}/policies/{number}", document)
            return number
        return int(self.send("POST", f"{SECURITY}/policies", document)["message"].rpartition(":")[2])

    def promote(self, number):
        self.send("PATCH", f"{SECURITY}/policies/{number}", {"promote": True})

    def assign(self, *assignments, promote=True):
        """Assigns policies to paths of every host: (number, path)."""
        self.send("POST", f"{CONTROL}/configurations", {"configurationName": "all", "hostname": "all"})
        listed = [{"policyId": number, "path": path, "startTime": "*", "endTime": "*"} for number, path in assignments]
        self.send("PUT", f"{SECURITY}/configurations/all/assignments", {"assignments": listed, "promote": promote})

    def nodes(self):
        """The nodes by name."""
        return {node["node"]: node for node in self.send("GET", f"{CONTROL}/nodes")}

    def state(self, name):
        """The state of a node, `unknown` if it is not listed."""
        return self.nodes().get(name, {"state": "unknown"})["state"]

    def until(self, name, state):
        """Waits for a node's state. Returns the node."""
        self._until(lambda: self.state(name) == state)
        return self.nodes()[name]

    def until_in_force(self, *names):
        """Waits until these nodes run the same revision, that of their network. Returns it."""
        self._until(lambda: all(self.state(name) == "in_force" for name in names))
        nodes = self.nodes()
        (revision,) = {nodes[name]["inForce"] for name in names}
        return revision

    def _until(self, question):
        try:
            until(question, SOON)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.nodes()}") from None


class Passage:
    """A TCP server that leads to another port, and can hold back or break what passes."""

    def __init__(self, port):
        self.to, self.open, self.holding, self.lock = port, True, threading.Event(), threading.Lock()
        self.pairs = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """Ends all connections; new ones end at once."""
        self.open = False
        self._end()

    def join(self):
        """Lets connections through again, whole."""
        self.holding.clear()
        self.open = True

    def hold(self):
        """Keeps what the server sends from now on."""
        self.holding.set()

    def stop(self):
        self.cut()
        self.socket.close()

    def _end(self):
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for one in (one for pair in pairs for one in pair):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                client.close()
                continue
            if not self.open:
                client.close()
                server.close()
                continue
            with self.lock:
                self.pairs.append((client, server))
            threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, source, to, held):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                # What is held back is never delivered: these connections end with the hold.
                if not (held and self.holding.is_set()):
                    to.sendall(data)
        with contextlib.suppress(OSError):
            to.shutdown(socket.SHUT_WR)
