"""External services of a deployment: a key server that derives keys as docs/keys.md describes, and an authorizer that
responds as told, or fails."""

import base64
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from support import places


class Service:
    """An HTTP/1.1 server on a free port that records its requests. `answer` receives the handler of a request."""

    def __init__(self):
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                service.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                service.answer(self)

            def send(self, status, body=b"", *headers):
                self.send_response(status)
                for name, value in (*headers, ("Content-Length", str(len(body)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            # Of the five that are usual, a burst leaves connections that Envoy has and this server never got: on a busy machine
            # the kernel answers with SYN cookies and forgets. Envoy keeps them, and the request that takes one gets a 503.
            request_queue_size = 512

            def handle_error(self, *_):
                pass

        self.asked = []
        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class KeyServer(Service):
    """Serves `configured` at /36.key, and derived keys at /k{stream}?policy=…&scope=…&session=…&period=…&secret=….
    `secrets`: those from which keys may be derived."""

    def __init__(self, configured, *secrets):
        (example,) = (places.REPOSITORY / "docs/keys.md").read_text().split("```python\n")[1:]
        self.told, self.configured, self.secrets = {}, configured, [bytes.fromhex(secret) for secret in secrets]
        exec(example.partition("```")[0], self.told)
        super().__init__()

    def derived(self, path, query):
        policy, scope = query["policy"], query["scope"]
        values = {"session": base64.urlsafe_b64decode(query.get("session", "") + "=="), "application": b"",
                  "stream": unquote(path.removeprefix("/k")).encode()}
        (secret,) = [secret for secret in self.secrets if self.told["secret_id"](secret, policy) == query["secret"]]
        return self.told["content_key"](secret, policy, scope, values[scope], int(query.get("period", 0)))

    def answer(self, handler):
        url = urlsplit(handler.path)
        query = {name: value for name, (value,) in parse_qs(url.query).items()}
        key = self.configured if url.path == "/36.key" else self.derived(url.path, query)
        handler.send(200, key, ("Access-Control-Allow-Origin", "*"))


class Authorizer(Service):
    """Answers with `mood`: a status, or `silent`, `garbage`, `closes`, or `first period`: 200 for period 0 alone."""

    def __init__(self):
        self.mood, self.over = 200, threading.Event()
        super().__init__()

    def answer(self, handler):
        match self.mood:
            case int(status):
                handler.send(status, b"" if status == 204 else b"as you like")
            case "first period":
                handler.send(200 if handler.headers["x-playlock-period"] == "0" else 403)
            case "silent":
                self.over.wait(60)
            case "garbage":
                handler.wfile.write(b"\x00\xffYES\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")
                handler.close_connection = True
            case "closes":
                handler.close_connection = True

    def stop(self):
        self.over.set()
        super().stop()
