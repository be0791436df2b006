"""Access tokens from the two published EdgeAuth libraries: `akamai-edgeauth` from PyPI and from npm."""

import json
import subprocess
import time

from support import places

PASSWORD = "52a152a152a152a152a152a152a152a1"
TRANSITION = "c319f970fd89b9f8c3d48e25548c793d"
STRANGER = "00112233445566778899aabbccddeeff"

SCRIPT = """
const [folder, how, path] = JSON.parse(process.argv[1]);
const EdgeAuth = require(folder);
const maker = new EdgeAuth(how.options);
process.stdout.write(how.url ? maker.generateURLToken(path) : maker.generateACLToken(path));
"""


def now():
    return int(time.time())


def by_python(acl=None, url=None, key=PASSWORD, exp=None, st=None, ip=None, id=None, data=None, salt=None,
              algorithm="sha256", escape_early=False):
    """A token from the Python library."""
    from akamai.edgeauth import EdgeAuth

    maker = EdgeAuth(key=key, algorithm=algorithm, salt=salt, ip=ip, payload=data, session_id=id, start_time=st,
                     end_time=exp or now() + 3600, escape_early=escape_early)
    return maker.generate_url_token(url) if url else maker.generate_acl_token(acl)


def by_node(acl=None, url=None, key=PASSWORD, exp=None, st=None, ip=None, id=None, data=None, salt=None,
            algorithm="sha256", escape_early=False):
    """A token from the Node library."""
    options = {"key": key, "algorithm": algorithm, "salt": salt, "ip": ip, "payload": data, "sessionId": id,
               "startTime": st, "endTime": exp or now() + 3600, "escapeEarly": escape_early}
    options = {name: value for name, value in options.items() if value is not None}
    argument = json.dumps([str(places.node_modules("akamai-edgeauth")), {"options": options, "url": bool(url)}, url or acl])
    node = places.tool("node", install="nodejs")
    run = subprocess.run([node, "--no-deprecation", "-e", SCRIPT, argument], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


MAKERS = {"python": by_python, "node": by_node}


def signed(fields, key=PASSWORD, algorithm="sha256"):
    """A correctly signed token of any fields, also of those that no library would write."""
    import hashlib
    import hmac

    mac = hmac.new(bytes.fromhex(key), fields.encode(), getattr(hashlib, algorithm)).hexdigest()
    return f"{fields}~hmac={mac}"
