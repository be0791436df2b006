"""Makes delivery.json: certificates, and encrypted keys as CPIX 2.3 (section 6) and AWS's examples have them, by Python's
hashlib and integers and PyPI `cryptography`. Each document is opened again: parsed by PyPI `cpix`, decrypted by
`cryptography` with the recipient's private key. Keys and certificates of an existing delivery.json stay.

    python3 -m venv target/venv && target/venv/bin/pip install cpix==1.4.1 cryptography==50.0.2
    target/venv/bin/python crates/drm/tests/vectors/delivery.py
"""

import base64
import datetime
import hashlib
import hmac
import json
import subprocess
import tempfile
from pathlib import Path

import cpix
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

FILE = Path(__file__).with_name("delivery.json")
ENC = "http://www.w3.org/2001/04/xmlenc#"
PSKC = "urn:ietf:params:xml:ns:keyprov:pskc"
NAMESPACES = f'xmlns:cpix="urn:dashif:org:cpix" xmlns:pskc="{PSKC}" xmlns:enc="{ENC}" xmlns:ds="{cpix.DS}"'
OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
CONTENT_KEYS = [bytes(range(16)), bytes.fromhex("00112233445566778899aabbccddeeff"), bytes(16)]


def b64(data):
    """Base64 as text."""
    return base64.b64encode(data).decode()


def der(private, version=3):
    """A self-signed certificate for a key, with names and extensions, by `cryptography`; of version 1, by OpenSSL."""
    if version == 1:
        with tempfile.TemporaryDirectory() as folder:
            key = Path(folder, "key.pem")
            key.write_bytes(pem(private).encode())
            request = ["openssl", "req", "-new", "-key", key, "-subj", "/CN=packager", "-out", Path(folder, "r.pem")]
            subprocess.run(request, check=True)
            sign = ["openssl", "x509", "-req", "-in", Path(folder, "r.pem"), "-signkey", key, "-outform", "DER"]
            return subprocess.run(sign, check=True, capture_output=True).stdout
    name = x509.Name([
        x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "DE"),
        x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Päckager GmbH"),
        x509.NameAttribute(x509.NameOID.COMMON_NAME, "packager.example"),
    ])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    builder = builder.serial_number(0x80_0000_0000_0001).not_valid_before(start)
    builder = builder.not_valid_after(start + datetime.timedelta(days=36500))
    names = x509.SubjectAlternativeName([x509.DNSName("packager.example")])
    builder = builder.add_extension(names, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    return builder.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def pss_der():
    """A certificate whose key is for RSASSA-PSS alone."""
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder, "key.pem"), Path(folder, "certificate.der")
        options = ["-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048", "-nodes", "-subj", "/CN=packager"]
        command = ["openssl", "req", "-x509", *options, "-keyout", key, "-out", certificate, "-outform", "DER"]
        subprocess.run(command, check=True, capture_output=True)
        return certificate.read_bytes()


def pem(private):
    """A private key without encryption."""
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    return private.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain).decode()


def certificates():
    """Certificates with the private keys of those that can be recipients."""

    def recipient(name, bits, exponent=65537, version=3):
        private = rsa.generate_private_key(exponent, bits)
        return {"name": name, "der": b64(der(private, version)), "private": pem(private)}

    def other(name, data):
        return {"name": name, "der": b64(data)}

    return [
        recipient("RSA 2048", 2048),
        recipient("RSA 2048, e = 3, version 1", 2048, exponent=3, version=1),
        recipient("RSA 3072", 3072),
        recipient("RSA 4096", 4096),
        other("RSA 1024", der(rsa.generate_private_key(65537, 1024))),
        other("P-256", der(ec.generate_private_key(ec.SECP256R1()))),
        other("RSASSA-PSS", pss_der()),
    ]


def mgf1(seed, length):
    """RFC 8017, B.2.1, with SHA-1."""
    blocks = (hashlib.sha1(seed + i.to_bytes(4, "big")).digest() for i in range(length // 20 + 1))
    return b"".join(blocks)[:length]


def xor(a, b):
    """Bytewise."""
    return bytes(x ^ y for x, y in zip(a, b))


def oaep(public, message, seed):
    """RFC 8017, 7.1.1, with SHA-1 and no label."""
    size = public.key_size // 8
    block = hashlib.sha1().digest() + bytes(size - len(message) - 42) + b"\1" + message
    masked = xor(block, mgf1(seed, len(block)))
    encoded = b"\0" + xor(seed, mgf1(masked, 20)) + masked
    numbers = public.public_numbers()
    return pow(int.from_bytes(encoded, "big"), numbers.e, numbers.n).to_bytes(size, "big")


def value(algorithm, cipher, mac_key):
    """EncryptedValue and ValueMAC."""
    mac = hmac.digest(mac_key, cipher, "sha512")
    return (
        f'<pskc:EncryptedValue><enc:EncryptionMethod Algorithm="{ENC}{algorithm}"></enc:EncryptionMethod>'
        f"<enc:CipherData><enc:CipherValue>{b64(cipher)}</enc:CipherValue></enc:CipherData></pskc:EncryptedValue>"
        f"<pskc:ValueMAC>{b64(mac)}</pskc:ValueMAC>"
    )


def document(seed, recipients):
    """The elements for recipients and content keys, random values in the order of their use."""
    counter = iter(range(1, 1000))

    def rand(size):
        return hmac.digest(seed, next(counter).to_bytes(8, "big"), "sha512")[:size]

    document_key, mac_key = rand(32), rand(64)
    keys, secrets = [], []
    for certificate in recipients:
        public = x509.load_der_x509_certificate(base64.b64decode(certificate["der"])).public_key()
        wrapped, wrapped_mac = oaep(public, document_key, rand(20)), oaep(public, mac_key, rand(20))
        keys.append(
            f'<cpix:DocumentKey Algorithm="{ENC}aes256-cbc"><cpix:Data><pskc:Secret>'
            f"{value('rsa-oaep-mgf1p', wrapped, mac_key)}</pskc:Secret></cpix:Data></cpix:DocumentKey>"
            '<cpix:MACMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#hmac-sha512"><cpix:Key>'
            f"{value('rsa-oaep-mgf1p', wrapped_mac, mac_key)}</cpix:Key></cpix:MACMethod>"
        )
    for key in CONTENT_KEYS:
        iv = rand(16)
        encryptor = Cipher(algorithms.AES(document_key), modes.CBC(iv)).encryptor()
        cipher = iv + encryptor.update(key + bytes([16]) * 16) + encryptor.finalize()
        secrets.append(f"<pskc:Secret>{value('aes256-cbc', cipher, mac_key)}</pskc:Secret>")
    check(recipients, keys, secrets)
    known = {"seed": seed.hex(), "documentKey": document_key.hex(), "macKey": mac_key.hex()}
    return known | {"recipients": keys, "secrets": secrets}


def check(recipients, keys, secrets):
    """Opens the document as a packager does."""
    for certificate, elements in zip(recipients, keys):
        private = serialization.load_pem_private_key(certificate["private"].encode(), None)
        data = (
            f"<cpix:DeliveryData {NAMESPACES}><cpix:DeliveryKey><ds:X509Data><ds:X509Certificate>{certificate['der']}"
            f"</ds:X509Certificate></ds:X509Data></cpix:DeliveryKey>{elements}</cpix:DeliveryData>"
        )
        parsed = cpix.DeliveryData.parse(data)
        document_key = private.decrypt(base64.b64decode(parsed.document_key.cipher_value), OAEP)
        mac_key = private.decrypt(base64.b64decode(parsed.mac_method.cipher_value), OAEP)
        for key, secret in zip(CONTENT_KEYS, secrets):
            kid = "0f083e4e-b831-4a3d-917e-ce78076e54aa"
            text = f'<cpix:ContentKey {NAMESPACES} kid="{kid}"><cpix:Data>{secret}</cpix:Data></cpix:ContentKey>'
            content_key = cpix.ContentKey.parse(text)
            cipher = base64.b64decode(content_key.cek)
            decryptor = Cipher(algorithms.AES(document_key), modes.CBC(cipher[:16])).decryptor()
            assert decryptor.update(cipher[16:]) + decryptor.finalize() == key + bytes([16]) * 16
            mac = base64.b64decode(content_key.value_mac)
            assert hmac.digest(mac_key, cipher, "sha512") == mac


def main():
    """Writes the vectors."""
    known = json.loads(FILE.read_text())["certificates"] if FILE.exists() else certificates()
    recipients = [certificate for certificate in known if "private" in certificate]
    for certificate in recipients:
        key = x509.load_der_x509_certificate(base64.b64decode(certificate["der"])).public_key().public_numbers()
        certificate |= {"modulus": f"{key.n:x}", "exponent": key.e}
    vectors = {
        "certificates": known,
        "contentKeys": [key.hex() for key in CONTENT_KEYS],
        "documents": [
            document(bytes(32), recipients[:1]),
            document(bytes(range(32)), recipients),
        ],
    }
    FILE.write_text(json.dumps(vectors, indent=1) + "\n")


if __name__ == "__main__":
    main()
