"""Tests that the pages play encrypted media by EME ClearKey: content of Shaka Packager, keys from a license server, no Envoy.
What the matrices show of encryption is then the filter's doing."""

import json
import threading
from base64 import urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import dash_matrix as matrix
import dash_programme as programme
import programme as hls
from live import Files

STREAM = matrix.STREAMS["timeline"]
# How a player comes to its license, and the scheme. By the page's settings, by the MPD alone, or not at all.
CASES = [("settings", "cbcs"), ("settings", "cenc"), ("manifest", "cbcs"), ("manifest", "cenc"), ("none", "cbcs")]


class Licenses:
    """A ClearKey license server on another port than the page's, so with CORS."""

    def __init__(self):
        self.asked = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(handler, body=b"", **headers):
                handler.send_response(200 if body else 204)
                fields = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "content-type",
                          "Access-Control-Allow-Methods": "POST", "Content-Type": "application/json", **headers}
                for name, value in fields.items():
                    handler.send_header(name, value)
                if body:
                    handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body)

            def do_OPTIONS(handler):
                handler.answer()

            def do_POST(handler):
                self.asked.append(json.loads(handler.rfile.read(int(handler.headers["Content-Length"]))))
                kid, key = (urlsafe_b64encode(bytes.fromhex(one)).rstrip(b"=").decode() for one in (programme.KID, programme.KEY))
                handler.answer(json.dumps({"keys": [{"kty": "oct", "kid": kid, "k": key}], "type": "temporary"}).encode())

            def log_message(handler, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/license?a=1&amp;b=2"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def licenses():
    server = Licenses()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def plays(screen, licenses):
    """{(how, scheme, player): play}."""
    packages = {scheme: programme.encrypted(scheme) for scheme in ("cbcs", "cenc")}
    screen.watched("timeline")

    def play(task):
        how, scheme, player = task
        package, options = packages[scheme], {"seconds": 8 if how == "none" else 40}
        if how == "manifest":
            package = programme.with_license(package, scheme, licenses.url)
            options |= {"licensed": True} if player == matrix.FFMPEG else {}
        elif how == "settings":
            options |= {"key": programme.KEY} if player == matrix.FFMPEG else {"license": licenses.url.replace("&amp;", "&")}
        return screen.play(f"eme.{how}.{scheme}.{player.replace(', ', '.')}", player, STREAM, Files(package), **options)

    tasks = [(*case, player) for case in CASES for player in matrix.PLAYERS]
    return dict(zip(tasks, screen.together(play, tasks)))


@pytest.mark.parametrize("player", matrix.PLAYERS)
@pytest.mark.parametrize("how, scheme", CASES)
def test_encrypted_streams_are_shown_with_the_key_alone(screen, plays, how, scheme, player):
    outcome = plays[how, scheme, player].outcome
    verdict = matrix.verdict(STREAM, screen.watched("timeline")[player].plain.outcome, outcome)
    assert verdict == (matrix.NO if how == "none" else matrix.YES), (outcome, outcome.report)


def test_licenses_were_asked_for_by_the_key_id(plays, licenses):
    kid = urlsafe_b64encode(bytes.fromhex(programme.KID)).rstrip(b"=").decode()
    asked = [one for one in licenses.asked if one["kids"] == [kid]]
    licensed = [case for case in plays if case[0] == "manifest" or case[0] == "settings" and case[2] != matrix.FFMPEG]
    assert len(asked) == len(licenses.asked) >= len(licensed), licenses.asked


def in_hls(package, method):
    """The same media with playlists whose keys hls.js asks a license server for."""
    key = f'#EXT-X-KEY:METHOD={method},URI="skd://key",KEYFORMAT="org.w3.clearkey",KEYFORMATVERSIONS="1",KEYID=0x{programme.KID}'
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{programme.SEGMENT}", key, '#EXT-X-MAP:URI="init.mp4"']
    for number in range(programme.SECONDS // programme.SEGMENT):
        lines += [f"#EXTINF:{programme.SEGMENT:.3f},", f"{number + 1}.m4s"]
    playlist = "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode()
    audio = hls.AUDIO.replace("audio/index.m3u8", "1/index.m3u8")
    master = hls.master("avc1.4d400d", (audio,), "0/index.m3u8").replace(b"FRAME-RATE=25.000", b'FRAME-RATE=25.000,AUDIO="a"')
    return package | {"master.m3u8": master, "0/index.m3u8": playlist, "1/index.m3u8": playlist}


@pytest.mark.parametrize("scheme, method", [("cbcs", "SAMPLE-AES"), ("cenc", "SAMPLE-AES-CTR")])
def test_hls_js_asks_the_license_server(theatre, origin, browser, licenses, scheme, method):
    name, before = f"eme.hls.{scheme}", len(licenses.asked)
    theatre.stage(name, Files(in_hls(programme.encrypted(scheme), method)))
    outcome = browser.play("hls.js", f"{origin}/{name}/master.m3u8", 20, license=licenses.url.replace("&amp;", "&"))
    assert outcome.ended and not outcome.errors and len(licenses.asked) > before, (outcome, outcome.report)
    assert outcome.frames >= programme.SECONDS * programme.FPS
    assert not browser.play("hls.js", f"{origin}/{name}/master.m3u8", 5).ended, "without a license"
