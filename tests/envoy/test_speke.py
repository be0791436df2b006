"""Tests the key server for packagers with PyPI `cpix` as the client, over HTTP/1.1 and HTTP/2."""

import contextlib
import http.client
import json
import re
import socket
import subprocess
import time
from base64 import b64decode, b64encode
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import cpix
import pytest
from cpix.drm.widevine import PSSH_BOX
from cpix.drm.widevine_pb2 import WidevineCencHeader
from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.x509.oid import NameOID
from lxml import etree

from support import places
from support.edge import SECRET, document, environment, policy
from support.proxy import WAIT
from support.wire import Wire, Wire2

TOKEN = "packager+7d0f/c1a2b3c4d5e6f708=="
OTHER, AWAY = "0e9d8c7b6a5f4e3d2c1b0a0918273645", "5b6a798897a6b5c4d3e2f1000f1e2d3c"
SPEKE_SECRET = "9b1c2d3e4f5a69788796a5b4c3d2e1f01a2b3c4d5e6f7081"
LIMIT = 256 * 1024
KID = UUID("98ee5596-cd3e-a20d-163a-e382420c6eff")
AUDIO = UUID("53abdba2-f210-43cb-bc90-f18f9a890a02")
WIDEVINE = "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"
PLAYREADY = "9a04f079-9840-4286-ab92-e65be0885f95"
NS = {"cpix": "urn:dashif:org:cpix", "pskc": "urn:ietf:params:xml:ns:keyprov:pskc",
      "enc": "http://www.w3.org/2001/04/xmlenc#"}
V2 = {"X-Speke-Version": "2.0", "Content-Type": "application/xml"}


def server(name, path, **members):
    return policy(name, None, {"speke": {
        "path": path,
        "requesters": [
            {"name": "packager", "token": {"env": "PLAYLOCK_PACKAGER"}, "contentIds": ["film*"]},
            {"name": "other", "token": OTHER, "contentIds": ["news"]},
            {"name": "away", "token": AWAY, "contentIds": ["*"], "networks": ["192.0.2.0/24"]},
        ],
        "fairplay": "skd://{kid:base64}",
        **members,
    }})


CONFIGURATION = document(server("vod", "/speke"),
                         server("live", "/live.speke", secret={"env": "PLAYLOCK_SPEKE_SECRET"}))
VARIABLES = environment() | {"PLAYLOCK_PACKAGER": TOKEN, "PLAYLOCK_SPEKE_SECRET": SPEKE_SECRET}


@pytest.fixture(scope="module")
def servers(edges):
    """Two Envoys with the same document: one key server with the policy's secret, one with its own."""
    # The second listens elsewhere, and to a connection's buffer that is smaller than a document may be.
    return [edges(CONFIGURATION, hold=True, vm=VARIABLES, instance=0),
            edges(CONFIGURATION, hold=True, vm=VARIABLES, instance=1, buffer=32768)]


def asked(content_id="film-7", certificate=None):
    """A request document of version 2, by `cpix`."""
    systems = [cpix.DRMSystem(kid=kid, system_id=system, pssh="", content_protection_data="")
               for system in (WIDEVINE, PLAYREADY) for kid in (str(KID), str(AUDIO))]
    rules = [cpix.UsageRule(kid=str(KID), filters=[cpix.VideoFilter()], intended_track_type="VIDEO"),
             cpix.UsageRule(kid=str(AUDIO), filters=[cpix.AudioFilter()], intended_track_type="AUDIO")]
    made = cpix.CPIX(
        content_id=content_id,
        content_keys=cpix.ContentKeyList(*(cpix.ContentKey(kid=str(kid)) for kid in (KID, AUDIO))),
        drm_systems=cpix.DRMSystemList(*systems),
        usage_rules=cpix.UsageRuleList(*rules),
    )
    root = etree.fromstring(etree.tostring(made.element()))
    root.set("version", "2.3")
    for key in root.iterfind(".//cpix:ContentKey", NS):
        key.set("commonEncryptionScheme", "cenc")
    if certificate:
        text = (f'<x xmlns="{NS["cpix"]}"><DeliveryDataList><DeliveryData><DeliveryKey>'
                f'<X509Data xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Certificate>{b64encode(certificate).decode()}'
                '</X509Certificate></X509Data></DeliveryKey></DeliveryData></DeliveryDataList></x>')
        root.insert(0, etree.fromstring(text)[0])
    return etree.tostring(root)


def ask(edge, body=None, target="/speke", headers=None, method="POST", token=TOKEN):
    """(status, headers, body): a request over HTTP/1.1. A body that is a list goes in chunks."""
    connection = http.client.HTTPConnection("127.0.0.1", edge.proxy.port, timeout=30)
    fields = dict(headers if headers is not None else V2)
    if token:
        fields["x-playlock-speke-token"] = token
    chunked = isinstance(body, list)
    try:
        # Refused before the whole body was sent, the response is there.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, target, iter(body) if chunked else body, fields, encode_chunked=chunked)
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


def keys(answer):
    """The plain keys of an answer, by key ID."""
    root = etree.fromstring(answer)
    return {UUID(key.get("kid")): b64decode(key.findtext("cpix:Data/pskc:Secret/pskc:PlainValue", namespaces=NS))
            for key in root.iterfind(".//cpix:ContentKey", NS)}


def derived(secret, label, name, content_id, kid):
    info = b"".join(len(field).to_bytes(2, "big") + field
                    for field in (label, name.encode(), content_id.encode(), kid.bytes))
    return HKDF(algorithm=hashes.SHA256(), length=16, salt=b"playlock/1", info=info).derive(bytes.fromhex(secret))


def test_another_client_gets_keys_that_follow_from_the_secret(servers):
    status, headers, answer = ask(servers[0], asked())
    assert status == 200, answer
    assert headers["content-type"] == "application/xml" and headers["x-speke-version"] == "2.0"
    assert headers["cache-control"] == "no-store" and headers["x-speke-user-agent"]
    read = cpix.parse(answer)
    for key in read.content_keys:
        assert b64decode(key.cek) == derived(SECRET, b"speke-key", "vod", "film-7", key.kid)
    for key in etree.fromstring(answer).iterfind(".//cpix:ContentKey", NS):
        iv = derived(SECRET, b"speke-iv", "vod", "film-7", UUID(key.get("kid")))
        assert b64decode(key.get("explicitIV")) == iv
    boxes = [(str(one.system_id), one.kid, one.pssh) for one in read.drm_systems]
    assert len(boxes) == 4
    for system, kid, pssh in boxes:
        if system == WIDEVINE:
            header = WidevineCencHeader()
            header.ParseFromString(PSSH_BOX.parse(b64decode(pssh)).data)
            assert list(header.key_id) == [UUID(str(kid)).bytes]
    assert servers[0].asked() == []


def test_the_same_request_has_the_same_answer_on_every_envoy(servers):
    answers = {ask(edge, asked())[2] for edge in servers for _ in range(2)}
    assert len(answers) == 1


@pytest.mark.parametrize("name, target", [("vod", "/speke"), ("live", "/live.speke")])
def test_the_command_answers_as_envoy_does(servers, tmp_path, name, target):
    """Without a proxy, `playlock speke answer` has the same answer, and refuses in the same words."""
    file = tmp_path / "policies.json"
    file.write_text(json.dumps(CONFIGURATION | {"holdHeaders": True}))
    for body in (asked(), asked("film-8"), asked("news"), asked().replace(b'version="2.3"', b""), asked().replace(b"cenc", b"cbc1")):
        status, _, answer = ask(servers[0], body, target)
        command = [places.command(), "speke", "answer", "--config", file, "--policy", name, "--requester", "packager"]
        ran = subprocess.run(command, input=body, capture_output=True, env=VARIABLES, timeout=60)
        assert (ran.returncode, ran.stdout) == ((0, answer) if status == 200 else (1, b"")), ran.stderr
        assert status == 200 or ran.stderr.decode().splitlines()[-1] == f"playlock: {answer.decode()}"


def test_a_secret_of_its_own_and_another_policy_give_other_keys(servers):
    mine, live = (keys(ask(servers[0], asked(), target=target)[2]) for target in ("/speke", "/live.speke"))
    assert live[KID] == derived(SPEKE_SECRET, b"speke-key", "live", "film-7", KID)
    assert len({*mine.values(), *live.values(), *keys(ask(servers[0], asked("film-8"))[2]).values()}) == 6


@pytest.mark.parametrize("edge", [0, 1])
def test_bodies_in_pieces(servers, edge):
    """In chunks, with trailers, and over HTTP/2, with a large document too."""
    edge = servers[edge]
    body = asked()
    long = body.replace(b"</cpix:CPIX>", b"<!--" + b" " * (LIMIT - len(body) - 7) + b"--></cpix:CPIX>")
    if long == body:
        long = body + b"<!--" + b" " * (LIMIT - len(body) - 7) + b"-->"
    assert len(long) == LIMIT
    expected = keys(ask(edge, body)[2])
    for pieces in ([body], [body[:100], body[100:]], [body[at:at + 7] for at in range(0, len(body), 7)]):
        assert keys(ask(edge, pieces)[2]) == expected
    assert keys(ask(edge, long)[2]) == keys(ask(edge, [long])[2]) == expected
    fields = [(name.encode(), value.encode()) for name, value in {**V2, "x-playlock-speke-token": TOKEN}.items()]
    wire = Wire(edge.proxy.port)
    trailers = b"%x\r\n%b\r\n0\r\nx-checksum: 1\r\n\r\n" % (len(body), body)
    answer = wire.ask(b"/speke", [*fields, (b"Transfer-Encoding", b"chunked"), (b"TE", b"trailers")], b"POST", body=trailers)
    wire.close()
    assert answer.status == 200 and keys(answer.body) == expected
    for pieces in ([body], [body[at:at + 100] for at in range(0, len(body), 100)], [body, b""]):
        wire = Wire2(edge.proxy.port)
        answer = wire.ask(b"/speke", fields, b"POST", body=pieces)
        wire.close()
        assert answer.status == 200 and keys(answer.body) == expected
    assert edge.asked() == []


@pytest.mark.parametrize("edge", [0, 1])
def test_a_body_over_the_limit_is_refused(servers, edge):
    edge = servers[edge]
    for body in (b"<" * (LIMIT + 1), b"<" * (LIMIT + 1024), b"<" * (1 << 20)):
        assert ask(edge, body)[0] == 413
        assert ask(edge, [body[at:at + 16384] for at in range(0, len(body), 16384)])[0] == 413
    # By its announced length alone.
    wire = Wire(edge.proxy.port)
    fields = [(b"x-playlock-speke-token", TOKEN.encode()), (b"Content-Length", str(LIMIT + 1).encode())]
    assert wire.ask(b"/speke", fields, b"POST").status == 413
    wire.close()
    assert edge.asked() == []


@pytest.mark.parametrize("target, token", [
    ("/speke", TOKEN),
    ("/speke?enc-token=packager%2B7d0f%2Fc1a2b3c4d5e6f708%3D%3D", None),
    ("/speke/v2/cpix/pallycon/getKey/" + OTHER, None),
    ("/speke/copyProtection", TOKEN),
])
def test_tokens_in_each_place(servers, target, token):
    content = "news" if OTHER in target else "film-7"
    assert ask(servers[0], asked(content), target, token=token)[0] == 200
    basic = {**V2, "Authorization": "Basic " + b64encode(f"me:{TOKEN}".encode()).decode()}
    assert ask(servers[0], asked(), headers=basic, token=None)[0] == 200


def test_requesters_get_their_contents_alone(servers):
    edge = servers[0]
    for content, token, status, reason in [
        ("film-7", None, 401, "requester"),
        ("film-7", TOKEN + "=", 401, "requester"),
        ("film-7", TOKEN[:-1], 401, "requester"),
        ("film-7", OTHER, 403, "rights"),
        ("news", TOKEN, 403, "rights"),
        ("film-7", AWAY, 403, "rights"),
        ("news", OTHER, 200, "-"),
    ]:
        before = edge.proxy.counters()
        found, headers, body = ask(edge, asked(content), token=token)
        assert found == status, (content, token, body)
        assert ("www-authenticate" in headers) == (status == 401)
        assert status == 200 or b"PlainValue" not in body
        entry = edge.proxy.logged(headers["x-request-id"])
        assert (entry["kind"], entry["policy"], entry["reason"] or "-") == ("speke", "vod", reason)
        assert entry["requester"] == {TOKEN: "packager", OTHER: "other", AWAY: "away"}.get(token)
        if reason != "-":
            name = f"wasmcustom.playlock.policy.vod.refused.{reason}"
            after = edge.proxy.counters()
            assert any(key.endswith(f"refused.{reason}") and after[key] == before.get(key, 0) + 1 for key in after), name
    assert edge.asked() == []


def test_requests_are_counted_by_requester(servers):
    """By name and verdict, for every requester of the configuration and no others; Prometheus gets labels."""
    edge = servers[1]
    names = {(policy, requester, verdict) for policy in ("vod", "live") for requester in ("packager", "other", "away")
             for verdict in ("allowed", "refused")}

    def counted():
        sample = r'^playlock_speke_requests\{playlock_policy="(.*?)",playlock_requester="(.*?)",playlock_verdict="(.*?)"\} (\d+)'
        found = re.findall(sample, edge.proxy.admin("/stats/prometheus"), re.M)
        return Counter({tuple(labels): int(number) for *labels, number in found})

    before = counted()
    assert set(before) == names, "from the start"
    wire = socket.create_connection(("127.0.0.1", edge.proxy.port), timeout=30)
    wire.sendall(f"POST /speke HTTP/1.1\r\nHost: a\r\nx-playlock-speke-token: {TOKEN}\r\nContent-Length: 9\r\n\r\n<".encode())
    wire.close()
    for content, token, target in [("film-7", TOKEN, "/speke"), ("film-7", TOKEN, "/speke"), ("news", TOKEN, "/speke"),
                                   ("film-7", TOKEN, "/live.speke"), ("film-7", AWAY, "/speke"), ("film-7", TOKEN[1:], "/speke"),
                                   ("news", OTHER, "/live.speke?scheme=x")]:
        ask(edge, asked(content), target, token=token)
    expected = Counter({("vod", "packager", "allowed"): 2, ("vod", "packager", "refused"): 1, ("live", "packager", "allowed"): 1,
                        ("vod", "away", "refused"): 1})
    until = time.monotonic() + WAIT
    while counted() - before != expected and time.monotonic() < until:
        time.sleep(0.05)
    assert counted() - before == expected
    assert set(counted()) == names


def test_refusals_have_the_words_of_the_standard(servers):
    edge = servers[0]
    body = asked()
    for sent, headers, status, words in [
        (body.replace(b'contentId="film-7"', b""), V2, 422, "Missing CPIX@contentId"),
        (body.replace(b'version="2.3"', b'version="2.4"'), V2, 422, "Unsupported CPIX@version"),
        (body.replace(b' commonEncryptionScheme="cenc"', b"", 1), V2, 422,
         f"Missing ContentKey@commonEncryptionScheme for KID {KID}"),
        (body, {**V2, "X-Speke-Version": "3.0"}, 422, "Unsupported SPEKE version"),
        (body, {**V2, "Content-Type": "text/html"}, 415, None),
        (body, {**V2, "Content-Type": "application/grpc"}, 415, None),
        (b"<!DOCTYPE x>" + body, V2, 400, None),
        (b"", V2, 400, None),
    ]:
        found, _, text = ask(edge, sent, headers=headers)
        assert found == status and (words is None or text.decode() == words), text
    assert ask(edge, None, "/speke/../vod/master.m3u8")[0] == 404
    assert ask(edge, body, "/%73peke")[0] == 400
    assert ask(edge, body, "/speke", method="PUT")[0] == 405
    assert ask(edge, None, "/speke", method="GET")[0] == 405
    assert edge.asked() == []


def test_the_heartbeat(servers):
    for target in ("/speke/heartbeat", "/speke/cpix/getKey/heartbeat"):
        status, _, body = ask(servers[0], None, target, {}, "GET", None)
        assert (status, body) == (200, b"SUCCESS")
    status, _, body = ask(servers[0], None, "/speke/heartbeat", {}, "HEAD", None)
    assert (status, body) == (200, b"")
    assert servers[0].asked() == []


def test_an_encrypted_answer_opens_with_the_packagers_key_alone(servers):
    edge = servers[0]
    private = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "packager.example")])
    now = datetime.now(timezone.utc)
    built = x509.CertificateBuilder(name, name, private.public_key(), 1, now, now + timedelta(days=1))
    certificate = built.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    answers = [ask(edge, asked(certificate=certificate)) for _ in range(2)]
    assert [status for status, _, _ in answers] == [200, 200], answers
    assert answers[0][2] != answers[1][2], "the document keys are random"
    plain = keys(ask(edge, asked())[2])
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    for _, _, answer in answers:
        assert b"PlainValue" not in answer
        root = etree.fromstring(answer)

        def value(element):
            return b64decode(element.find(".//enc:CipherValue", NS).text)

        document_key = private.decrypt(value(root.find(".//cpix:DocumentKey", NS)), oaep)
        mac_key = private.decrypt(value(root.find(".//cpix:MACMethod", NS)), oaep)
        for key in root.iterfind(".//cpix:ContentKey", NS):
            sealed = value(key)
            mac = hmac.HMAC(mac_key, hashes.SHA512())
            mac.update(sealed)
            mac.verify(b64decode(key.find(".//pskc:ValueMAC", NS).text))
            decryptor = Cipher(algorithms.AES(document_key), modes.CBC(sealed[:16])).decryptor()
            unpadder = PKCS7(128).unpadder()
            opened = unpadder.update(decryptor.update(sealed[16:]) + decryptor.finalize()) + unpadder.finalize()
            assert opened == plain[UUID(key.get("kid"))]


def test_viewers_and_requesters_do_not_meet(servers, site):
    """A session is nothing at the key server, and a requester's token is nothing elsewhere."""
    edge = servers[0]
    folder = site.copy("ts", "vod")
    playlist = edge.get(edge.link(f"{folder}/master.m3u8"))
    session = re.search(r"hdntl=([^\s&\"]+)", playlist.text)[1]
    for target in (f"/speke?hdntl={session}", f"/speke/{session}", f"/speke?enc-token={session}"):
        assert ask(edge, asked(), target, token=None)[0] in (400, 401)
    site.requests.clear()
    assert ask(edge, None, f"{folder}/master.m3u8", {}, "GET")[0] == 403
    assert ask(edge, None, f"{folder}/master.m3u8?enc-token={AWAY}", {}, "GET", None)[0] == 403
    assert edge.asked() == []


def test_nothing_of_body_or_token_is_logged(servers):
    edge = servers[0]
    marks = [Path(log).stat().st_size for log in (edge.proxy.access_log, edge.proxy.log)]
    escaped = "packager%2B7d0f%2Fc1a2b3c4d5e6f708%3D%3D"
    for target in (f"/speke?enc-token={escaped}", f"/speke/{OTHER}", f"/speke/cpix/getKey/{escaped}?scheme=cbcs"):
        for body in (asked("film-seldom"), asked("film-seldom")[:-9]):
            _, headers, answer = ask(edge, body, target, token=None)
            entry = edge.proxy.logged(headers["x-request-id"])
            assert entry["path"] == "/speke"
    logs = Path(edge.proxy.access_log).read_text()[marks[0]:] + edge.proxy.log_text(marks[1])
    for secret in (TOKEN, TOKEN[:20], escaped, OTHER, "film-seldom", str(KID), SPEKE_SECRET):
        assert secret not in logs, secret
    assert edge.asked() == []


def test_a_request_that_is_never_finished_reaches_nobody(servers):
    edge = servers[0]
    body = asked()
    head = (f"POST /speke HTTP/1.1\r\nHost: edge.example\r\nx-playlock-speke-token: {TOKEN}\r\nX-Speke-Version: 2.0\r\n"
            f"Content-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n").encode()
    with socket.create_connection(("127.0.0.1", edge.proxy.port), timeout=30) as peer:
        peer.sendall(head + body[:-1])
        peer.shutdown(socket.SHUT_WR)
        assert b"200 OK" not in peer.recv(65536)
    assert ask(edge, body)[0] == 200
    assert edge.asked() == []
