"""An Envoy with the filter between the tests and the origin, and its configuration documents."""

import copy

from support import curl, http3, tokens

SECRET = "6d0f4c1e7b8a93522f64d1c05e97ab3831f2c46a5d7e8b900c1d2e3f4a5b6c7d"
OLDER = "b1946ac92492d2347c6235b4d2611184e9c0f2a4d6b8079132435465768798a9"
NEWER = "0f1e2d3c4b5a69788796a5b4c3d2e1f00123456789abcdeffedcba9876543210"

POLICY = {
    "policyName": "vod",
    "policyId": 1,
    "tokenAuth": {
        "enabled": True,
        "password": {"env": "PLAYLOCK_PASSWORD"},
        "transitionPassword": tokens.TRANSITION,
        "enforceOnInitialRequest": True,
        "enforceOnContentRequest": True,
        "accessTokenName": "hdnts",
        "sessionTokenName": "hdntl",
        "sessionTokenTransport": "query",
        "sessionTtl": "1d",
        "clockSkew": "10s",
    },
    "mediaEncryption": {
        "enabled": True,
        "percentageCoverage": "AUTO",
        "keyPath": "/serve.key",
        "keyScope": "session",
        "secret": {"env": "PLAYLOCK_SECRET"},
        "transitionSecret": {"env": "PLAYLOCK_SECRET_OLD"},
    },
}


def policy(name="vod", token_auth=None, media_encryption=None, **members):
    """The usual policy, with some values replaced and further members added."""
    made = copy.deepcopy(POLICY)
    made["policyName"] = name
    made["tokenAuth"].update(token_auth or {})
    made["mediaEncryption"].update(media_encryption or {})
    made.update(members)
    return made


def document(*policies, hold=False, default="deny", path=None):
    """A configuration with one policy for everything (or for `path`), or with several, each for the folder of
    its name."""
    policies = [dict(one, policyId=index + 1) for index, one in enumerate(policies or [policy()])]
    made = {
        "policies": policies,
        "assignments": [
            {"policyName": one["policyName"], "startTime": "*", "endTime": "*",
             "path": path or ("/..." if len(policies) == 1 else f"/{one['policyName']}/...")}
            for one in policies
        ],
        "default": default,
    }
    if hold:
        made["holdHeaders"] = True
    return made


def environment(secret=SECRET, older=OLDER):
    """The environment variables of the filter's VM."""
    return {"PLAYLOCK_PASSWORD": tokens.PASSWORD, "PLAYLOCK_SECRET": secret, "PLAYLOCK_SECRET_OLD": older}


class Edge:
    """A protected edge, from the points of view of a viewer and of its operator."""

    def __init__(self, proxy, site, hold, upstream, certificate=None):
        self.proxy, self.site, self.hold, self.upstream, self.certificate = proxy, site, hold, upstream, certificate
        self.url = proxy.url

    def base(self, http="1.1"):
        """The URL of the edge for a version of HTTP."""
        return f"https://localhost:{self.proxy.quic}" if http == "3" else self.url

    def link(self, path, token=None, name="hdnts", http="1.1"):
        """The URL that a customer's site gives to a viewer, by default with a token for everything."""
        token = token or tokens.by_python(acl="/*")
        return f"{self.base(http)}{path}{'&' if '?' in path else '?'}{name}={token}"

    def get(self, target, headers=None, http="1.1", method=None, source=None, body=None):
        """Requests a path or a URL of this edge, from another local address if one is given."""
        url = target if target.startswith("http") else self.base(http) + target
        if http == "3":
            assert url.startswith(self.base(http)), url
            return http3.fetch(self.proxy.quic, self.certificate, url, headers, method, body)
        return curl.fetch(url, headers, http, method, source=source, body=body)

    def asked(self, path=None):
        """The requests that the origin has received since the test began (below a path)."""
        return [r for r in list(self.site.requests) if path is None or r.target.partition("?")[0] == path]
