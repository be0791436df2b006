"""Reads the answers with PyPI cpix 1.4.1, its XSD, lxml, and cryptography.

Every answer: the keys are those of common/answers.rs, Widevine's and PlayReady's boxes hold the key ID, the box of
ContentProtectionData is that of PSSH, and encrypted keys open with recipient.pem. An answer breaks no rule of the
schema that its request does not break (cpix brings that of CPIX 2.2, which has no commonEncryptionScheme yet; and AWS's
own examples do not keep its order).
"""

import re
from base64 import b64decode
from pathlib import Path
from uuid import UUID

import cpix
import pytest
from cpix.drm.widevine import PSSH_BOX as WIDEVINE_BOX
from cpix.drm.widevine_pb2 import WidevineCencHeader
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from lxml import etree

HERE = Path(__file__).parent
NS = {
    "cpix": "urn:dashif:org:cpix",
    "pskc": "urn:ietf:params:xml:ns:keyprov:pskc",
    "enc": "http://www.w3.org/2001/04/xmlenc#",
}
WIDEVINE = UUID("edef8ba9-79d6-4ace-a3c8-27dcd51d21ed")
PLAYREADY = UUID("9a04f079-9840-4286-ab92-e65be0885f95")


def value(secret: etree._Element, name: str) -> bytes:
    return b64decode(secret.findtext(name, namespaces=NS))


def opened(root: etree._Element) -> dict[UUID, bytes]:
    """The content keys of an encrypted answer, by the way of XML encryption."""
    private = serialization.load_pem_private_key((HERE / "recipient.pem").read_bytes(), None)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    pairs = set()
    for recipient in root.iterfind(".//cpix:DeliveryData", NS):
        cipher = ".//enc:CipherValue"
        document, mac = recipient.find("cpix:DocumentKey", NS), recipient.find("cpix:MACMethod/cpix:Key", NS)
        pair = private.decrypt(value(document, cipher), oaep), private.decrypt(value(mac, cipher), oaep)
        for element in (document, mac):
            verify(pair[1], element)
        pairs.add(pair)
    [(document_key, mac_key)] = pairs
    assert (len(document_key), len(mac_key)) == (32, 64)
    keys = {}
    for element in root.iterfind(".//cpix:ContentKey", NS):
        verify(mac_key, element)
        sealed = value(element, ".//enc:CipherValue")
        decryptor = Cipher(algorithms.AES(document_key), modes.CBC(sealed[:16])).decryptor()
        unpadder = PKCS7(128).unpadder()
        plain = unpadder.update(decryptor.update(sealed[16:]) + decryptor.finalize()) + unpadder.finalize()
        keys[UUID(element.get("kid"))] = plain
    return keys


def verify(mac_key: bytes, element: etree._Element) -> None:
    mac = hmac.HMAC(mac_key, hashes.SHA512())
    mac.update(value(element, ".//enc:CipherValue"))
    mac.verify(value(element, ".//pskc:ValueMAC"))


def check_keys(name: str, root: etree._Element) -> None:
    if root.find(".//cpix:DeliveryData", NS) is not None:
        keys = opened(root)
    else:
        keys = {
            UUID(element.get("kid")): value(element, "cpix:Data/pskc:Secret/pskc:PlainValue")
            for element in root.iterfind(".//cpix:ContentKey", NS)
        }
    for kid, key in keys.items():
        assert key == bytes(byte ^ 0xA5 for byte in kid.bytes), (name, kid)
    for element in root.iterfind(".//cpix:ContentKey", NS):
        assert len(b64decode(element.get("explicitIV"))) == 16, name


def check_boxes(name: str, root: etree._Element) -> None:
    for system in root.iterfind(".//cpix:DRMSystem", NS):
        kid, system_id = UUID(system.get("kid")), UUID(system.get("systemId"))
        for child in system.iterfind("*"):
            assert b64decode(child.text, validate=True), (name, child.tag)
        pssh = system.findtext("cpix:PSSH", namespaces=NS)
        if pssh is None:
            continue
        if system_id == WIDEVINE:
            header = WidevineCencHeader()
            header.ParseFromString(WIDEVINE_BOX.parse(b64decode(pssh)).data)
            assert list(header.key_id) == [kid.bytes], name
        elif system_id == PLAYREADY:
            text = b64decode(pssh)[32 + 10 :].decode("utf-16-le")
            header_kid = re.search(r'<KID[^>]*?(?: VALUE="|>)([^"<]+)', text)[1]
            assert UUID(bytes_le=b64decode(header_kid)) == kid, name
        fragment = system.findtext("cpix:ContentProtectionData", namespaces=NS)
        if fragment is not None:
            wrapped = etree.fromstring(b"<x>" + b64decode(fragment) + b"</x>")
            assert wrapped.findtext("{urn:mpeg:cenc:2013}pssh") == pssh, name


def check_parsed(name: str, text: bytes) -> bool:
    """Whether PyPI cpix, which knows fewer systems, and neither comments nor encrypted keys, reads the answer."""
    bare = etree.tostring(etree.fromstring(text, etree.XMLParser(remove_comments=True)))
    try:
        document = cpix.parse(bare)
    except ValueError as error:
        assert str(error) == "system_id is unknown", (name, error)
        return False
    for key in document.content_keys:
        if "encrypted" not in name:
            assert b64decode(key.cek) == bytes(byte ^ 0xA5 for byte in key.kid.bytes), name
    return True


def violations(path: Path) -> set[str]:
    schema = etree.XMLSchema(etree.parse(Path(cpix.__file__).parent / "schema" / "cpix.xsd"))
    schema.validate(etree.fromstring(path.read_bytes()))
    return {entry.message for entry in schema.error_log}


ANSWERS = sorted((HERE.parent / "answers").glob("*.xml"))


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
def test_answer(path):
    root = etree.fromstring(path.read_bytes())
    check_keys(path.name, root)
    check_boxes(path.name, root)
    added = violations(path) - violations(HERE.parent / "requests" / path.name)
    assert not added


def test_cpix_reads_answers():
    read = [path.name for path in ANSWERS if path.name.startswith("2.0") and check_parsed(path.name, path.read_bytes())]
    assert len(ANSWERS) >= 13
    assert len(read) >= 6


@pytest.mark.parametrize("name", ["1.0-pallycon", "1.0-pallycon-period"])
def test_the_elements_that_pallycons_clients_read(name):
    """By system ID in upper case; an element that is absent or empty ends their run."""
    root = etree.parse(HERE.parent / "answers" / f"{name}.xml").getroot()
    read = {
        str(WIDEVINE).upper(): ["PSSH", "ContentProtectionData"],
        str(PLAYREADY).upper(): ["PSSH", "ContentProtectionData"],
        "94CE86FB-07FF-4F43-ADB8-93D2FA968CA2": ["URIExtXKey", "HLSSignalingData"],
    }
    assert root.get("id")
    for system in root.iterfind(".//cpix:DRMSystem", NS):
        for element in read[system.get("systemId")]:
            assert b64decode(system.findtext(f"cpix:{element}", namespaces=NS))


def test_what_awss_suite_looks_for():
    """Its pattern for keys wants a prefix; FairPlay has neither PSSH nor ContentProtectionData; nothing of 1.0."""
    for path in ANSWERS:
        text = path.read_text(encoding="utf-8")
        if not path.name.startswith("2") or "encrypted" in path.name:
            continue
        root = etree.fromstring(text.encode())
        assert len(re.findall("<[a-z]+:PlainValue>[^<]+</[a-z]+:PlainValue>", text)) == len(
            root.findall("cpix:ContentKeyList/cpix:ContentKey", NS))
        assert "id" not in root.attrib
        assert "urn:aws:amazon:com:speke" not in text
        for system in root.iterfind(".//cpix:DRMSystem", NS):
            if system.get("systemId") == "94ce86fb-07ff-4f43-adb8-93d2fa968ca2":
                assert system.find("cpix:PSSH", NS) is None
                assert system.find("cpix:ContentProtectionData", NS) is None
                assert len(system.findall("cpix:HLSSignalingData", NS)) == 2
