"""Tests tokens in the path with Envoy's routes: Envoy chooses a route before the filter runs, and anew after the filter has
taken the token out. On the oldest and the newest Envoy."""

import json
import re
import subprocess

import pytest

from support import places, tokens
from support.curl import fetch
from support.edge import document, environment, policy
from support.proxy import Proxy, bootstrap, running, wasm_filter

FILTERS = "type.googleapis.com/envoy.extensions.filters.http"
MUTATION = f"{FILTERS}.header_mutation.v3.HeaderMutation"
LIMIT = {"@type": f"{FILTERS}.local_ratelimit.v3.LocalRateLimit", "stat_prefix": "limit"}
FILTER_CONFIG = "type.googleapis.com/envoy.config.route.v3.FilterConfig"
PATH = {"sessionTokenTransport": "path"}


def header(name, value):
    return {"header": {"key": name, "value": value}}


def mutation(name, request=(), disabled=False):
    """A header_mutation filter that adds these headers to requests."""
    typed = {"@type": MUTATION, **({"mutations": {"request_mutations": [{"append": one} for one in request]}} if request else {})}
    return {"name": name, "typed_config": typed, **({"disabled": True} if disabled else {})}


def per_route(*added):
    """The settings of a route for a header_mutation filter that make it add these headers."""
    return {"@type": f"{MUTATION}PerRoute", "mutations": {"request_mutations": [{"append": one} for one in added]}}


def route(name, match, named=None, action=None, **members):
    """A route to the origin that adds its name to requests, and may name a policy."""
    metadata = {"metadata": {"filter_metadata": {"playlock": {"policy": named}}}} if named else {}
    return {"name": name, "match": match, "route": {"cluster": "origin", "timeout": "0s", **(action or {})},
            "request_headers_to_add": [header("x-route", name)], **metadata, **members}


def host(name, routes, domains=("*",), **members):
    return {"name": name, "domains": list(domains), "routes": routes, **members}


ROUTES = [
    route("exact", {"path": "/vod/exact/a.ts"}),
    route("separated", {"path_separated_prefix": "/vod/separated"}),
    route("regex", {"safe_regex": {"regex": "/vod/re[0-9]+/.*"}}),
    route("header", {"prefix": "/vod/header", "headers": [{"name": "x-want", "string_match": {"exact": "1"}}]}),
    route("parameter", {"prefix": "/vod/parameter", "query_parameters": [{"name": "x", "string_match": {"exact": "1"}}]}),
    route("fraction", {"prefix": "/vod/fraction", "runtime_fraction": {"default_value": {"numerator": 100}}}),
    route("rewritten", {"prefix": "/vod/rewritten/"}, action={"prefix_rewrite": "/vod/prefix/"}),
    route("weighted", {"prefix": "/vod/weighted/"}, action={"cluster": None, "weighted_clusters": {"clusters": [
        {"name": "origin", "weight": 1, "request_headers_to_add": [header("x-cluster", "weighted")]}]}}),
    route("limited", {"prefix": "/vod/limited"}, typed_per_filter_config={"limit": {
        **LIMIT, "token_bucket": {"max_tokens": 1, "fill_interval": "3600s"},
        "filter_enabled": {"default_value": {"numerator": 100}}, "filter_enforced": {"default_value": {"numerator": 100}}}}),
    route("later", {"prefix": "/vod/later"}, typed_per_filter_config={"later": per_route(header("x-later", "of the route"))}),
    route("earlier", {"prefix": "/vod/earlier"}, typed_per_filter_config={"earlier": per_route(header("x-earlier", "of the route"))}),
    route("on", {"prefix": "/vod/on/"}, typed_per_filter_config={"optional": {"@type": FILTER_CONFIG, "config": per_route()}}),
    route("off", {"prefix": "/vod/off/"}, typed_per_filter_config={"usual": {"@type": FILTER_CONFIG, "disabled": True}}),
    route("retried", {"prefix": "/vod/retried"}, action={"retry_policy": {"retry_on": "5xx", "num_retries": 2}}),
    route("brief", {"prefix": "/vod/brief"}, action={"timeout": "0.2s"}),
    {"name": "direct", "match": {"prefix": "/vod/direct"}, "direct_response": {"status": 418}},
    {"name": "moved", "match": {"prefix": "/vod/moved"}, "redirect": {"path_redirect": "/vod/elsewhere"}},
    # What Istio makes of a VirtualService with `uri: {prefix: /vod/istio}`.
    route("istio", {"prefix": "/vod/istio", "case_sensitive": True}, action={"max_grpc_timeout": "0s", "retry_policy": {
        "retry_on": "connect-failure,refused-stream,unavailable,cancelled", "num_retries": 2, "retry_host_predicate": [{
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"}}],
        "host_selection_retry_max_attempts": 5}},
        decorator={"operation": "origin.media.svc.cluster.local:80/vod/istio*"}),
    route("any", {"prefix": "/vod/"}),
]
ROUTES[7]["route"].pop("cluster")
# No route of this host matches a path with a token.
CLOSED = [route("only", {"prefix": "/vod/"})]
# Its routes name policies: by the path alone, or by the path with and without a token.
NAMED = [
    route("named-both", {"safe_regex": {"regex": "(/~[^/]*)?/vod/both/.*"}}, "named"),
    route("named-apart", {"safe_regex": {"regex": "/~[^/]*/vod/apart/.*"}}, "named"),
    route("named-apart", {"prefix": "/vod/apart/"}, "named"),
    route("named-one", {"prefix": "/vod/one/"}, "named"),
    route("other", {"prefix": "/vod/other/"}, "other"),
    route("rest", {"prefix": "/"}),
]

# The filter is off, and these turn it on, as Envoy Gateway does for the HTTPRoutes that an EnvoyExtensionPolicy targets.
ON = {"typed_per_filter_config": {"playlock": {"@type": FILTER_CONFIG, "config": {}}}}
TURNED_ON = [
    route("both", {"safe_regex": {"regex": "(/~[^/]*)?/vod/both/.*"}}, **ON),
    route("one", {"prefix": "/vod/one/"}, **ON),
]


class Paths:
    """An edge with tokens in the path, from the point of view of a viewer."""

    def __init__(self, proxy, ports, site):
        self.proxy, self.ports, self.site, self.sessions = proxy, ports, site, {}

    def get(self, target, host="any.example", listener="edge", **headers):
        return fetch(f"http://127.0.0.1:{self.ports[listener]}{target}", {"Host": host, **headers})

    def session(self, folder="/vod/any", listener="edge"):
        """The segment with the session token, as in `/~TOKEN`, of a session for everything."""
        known = (folder, listener)
        if known not in self.sessions:
            self.site.put(f"{folder}/index.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n#EXT-X-ENDLIST\n")
            response = self.get(f"{folder}/index.m3u8?hdnts={tokens.by_python(acl='/*')}", listener=listener)
            assert response.status == 200, response.body
            self.sessions[known] = "/~" + re.search(rf"^{folder}/a\.ts\?hdntl=([\w-]+)", response.text, re.M)[1]
        return self.sessions[known]

    def reaches(self, target, host="any.example", **headers):
        """The origin's only request for a resource, with a session's token in its path."""
        self.site.put(target.partition("?")[0], b"media")
        session = self.session()
        self.site.requests.clear()
        response = self.get(session + target, host, **headers)
        assert response.status == 200, (target, response)
        (request,) = self.site.requests
        assert (len(response.body), request.target) == (16, target)
        return request


@pytest.fixture(scope="module", params=["oldest", "newest"])
def paths(request, site, origins, tmp_path_factory):
    folder = tmp_path_factory.mktemp(f"paths-{request.param}")
    assigned = document(policy("vod", PATH), path="/vod/...")
    by_route = {**document(policy("vod", PATH), policy("named", PATH), policy("other", PATH)), "routePolicy": True}
    by_route["assignments"] = by_route["assignments"][:1]

    def listener(name, filters, hosts, port=origins["h1"].port):
        made = bootstrap(port, "h1", filters, folder / "access.log")
        one = dict(made["static_resources"]["listeners"][0], name=name)
        one["filter_chains"][0]["filters"][0]["typed_config"]["route_config"]["virtual_hosts"] = hosts
        return made, one

    around = [mutation("earlier"), wasm_filter(assigned, environment(), False), {"name": "limit", "typed_config": LIMIT},
              mutation("later"), mutation("usual", [header("x-usual", "1")]), mutation("optional", [header("x-optional", "1")], True)]
    hosts = [host("all", ROUTES), host("closed", CLOSED, ["closed.example"]),
             host("tls", CLOSED, ["tls.example"], require_tls="ALL")]
    config, first = listener("edge", around, hosts)
    _, second = listener("named", [wasm_filter(by_route, environment(), False)], [host("named", NAMED)])
    _, third = listener("turned on", [dict(wasm_filter(assigned, environment(), False), disabled=True)], [host("on", TURNED_ON)])
    config["static_resources"]["listeners"] = [first, second, third]
    proxy = Proxy(folder, config, program=places.oldest_envoy() if request.param == "oldest" else None)
    running.append(proxy)
    ports = {one["name"]: one["local_address"]["socket_address"]["port_value"]
             for one in json.loads(proxy.admin("/listeners?format=json"))["listener_statuses"]}
    yield Paths(proxy, ports, site)
    running.remove(proxy)
    proxy.stop()


@pytest.mark.parametrize("name, target, headers", [
    ("exact", "/vod/exact/a.ts", {}),
    ("separated", "/vod/separated/a.ts", {}),
    ("any", "/vod/separatedly/a.ts", {}),
    ("regex", "/vod/re12/a.ts", {}),
    ("header", "/vod/header/a.ts", {"x-want": "1"}),
    ("any", "/vod/header/a.ts", {}),
    ("parameter", "/vod/parameter/a.ts?x=1", {}),
    ("fraction", "/vod/fraction/a.ts", {}),
    ("weighted", "/vod/weighted/a.ts", {}),
    ("istio", "/vod/istio/a.ts", {}),
    ("any", "/vod/else/a.ts", {}),
])
def test_the_route_is_that_of_the_path_without_the_token(paths, name, target, headers):
    request = paths.reaches(target, **headers)
    assert request.header("x-route") == name
    assert request.header("x-cluster") == ("weighted" if name == "weighted" else None)


def test_a_host_without_a_route_for_paths_with_tokens(paths):
    """The filter runs, and the route is chosen after it. Without one, Envoy answers 404."""
    assert paths.reaches("/vod/a.ts", host="closed.example").header("x-route") == "only"
    assert paths.get(paths.session() + "/live/a.ts", host="closed.example").status == 403, "no assignment"


def test_answers_of_envoy_are_those_of_the_path_without_the_token(paths):
    token = paths.session()
    assert paths.get(f"{token}/vod/direct/a.ts").status == 418
    moved = paths.get(f"{token}/vod/moved/a.ts")
    # The filter adds the session to redirects, which lead to its own host.
    assert (moved.status, moved.header("location")) == (301, f"http://any.example{token}/vod/elsewhere")
    secure = paths.get(f"{token}/vod/a.ts", host="tls.example")
    assert (secure.status, secure.header("location")) == (301, f"https://tls.example{token}/vod/a.ts")


def test_a_rewritten_path_has_no_token(paths):
    paths.site.put("/vod/prefix/a.ts", b"media")
    assert paths.get(paths.session() + "/vod/rewritten/a.ts").status == 200
    request = paths.site.requests[-1]
    assert (request.target, request.header("x-envoy-original-path")) == ("/vod/prefix/a.ts", "/vod/rewritten/a.ts")


def test_retries_and_timeouts_are_those_of_the_path_without_the_token(paths):
    token = paths.session()
    paths.site.put("/vod/retried/a.ts", b"", status=503)
    paths.site.put("/vod/brief/a.ts", b"media" * 10_000, pause=1)
    assert paths.get(f"{token}/vod/retried/a.ts").status == 503
    assert [request.target for request in paths.site.requests].count("/vod/retried/a.ts") == 3
    assert paths.get(f"{token}/vod/brief/a.ts").broken


def test_filters_after_the_filter_have_the_settings_of_that_route(paths):
    assert paths.reaches("/vod/later/a.ts").header("x-later") == "of the route"
    assert paths.reaches("/vod/limited/a.ts").header("x-route") == "limited"
    assert paths.get(paths.session() + "/vod/limited/a.ts").status == 429


def test_filters_before_the_filter_have_those_of_the_path_with_the_token(paths):
    """Envoy cannot know better. `playlock check --envoy` reports it."""
    paths.session("/vod/earlier")
    assert paths.site.requests[-1].header("x-earlier") == "of the route", "with an access token in the query"
    assert paths.reaches("/vod/earlier/a.ts").header("x-earlier") is None


def test_filters_are_enabled_by_the_path_with_the_token(paths):
    """Envoy builds the chain of filters once, so these are on or off as on the first route. `check --envoy` reports it."""
    enabled, disabled = paths.reaches("/vod/on/a.ts"), paths.reaches("/vod/off/a.ts")
    assert (enabled.header("x-optional"), disabled.header("x-usual")) == (None, "1")
    # With an access token in the query.
    for folder in ("/vod/on", "/vod/off"):
        paths.session(folder)
    enabled, disabled = paths.site.requests[-2:]
    assert (enabled.header("x-optional"), disabled.header("x-usual")) == ("1", None)


def test_a_filter_that_routes_turn_on(paths):
    """A route that does not match the path with the token does not turn it on for it; another one does not serve it."""
    for folder, status in (("both", 200), ("one", 404)):
        paths.site.put(f"/vod/{folder}/a.ts", b"media")
        token = paths.session(f"/vod/{folder}", listener="turned on")
        assert paths.get(f"{token}/vod/{folder}/a.ts", listener="turned on").status == status


@pytest.mark.parametrize("folder", ["both", "apart"])
def test_a_policy_named_by_routes_for_both_paths(paths, folder):
    token = paths.session(f"/vod/{folder}", listener="named")
    paths.site.put(f"/vod/{folder}/a.ts", b"media")
    response = paths.get(f"{token}/vod/{folder}/a.ts", listener="named")
    assert (response.status, len(response.body)) == (200, 16)
    assert paths.site.requests[-1].header("x-route") == f"named-{folder}"
    assert paths.proxy.logged(response.id)["policy"] == "named"


@pytest.mark.parametrize("folder", ["other", "one"])
def test_a_policy_that_only_the_path_without_the_token_names(paths, folder):
    """The session is of the policy that the first route gives, and must not open what the second one protects."""
    token = paths.session("/vod/both", listener="named")
    assigned = paths.session("/vod/rest", listener="named")
    paths.site.put(f"/vod/{folder}/a.ts", b"media")
    for session in (token, assigned):
        response = paths.get(f"{session}/vod/{folder}/a.ts", listener="named")
        found = (response.status, json.loads(response.body)["type"])
        # The first route is that of the rest: without a name, the policy is the assigned one.
        assert found == ((403, "route") if session == assigned else (403, "signature"))
        assert b"media" not in response.body


def test_a_made_up_path_does_not_choose_the_policy(paths):
    """A target whose first route names the session's policy, and whose second one names another."""
    token = paths.session("/vod/both", listener="named")
    paths.site.put("/vod/other/a.ts", b"media")
    for target in ("/vod/both/../other/a.ts", "/vod/both/%2e%2e/other/a.ts", "//vod/other/a.ts", "/vod/other/a.ts?/vod/both/"):
        response = paths.get(token + target, listener="named")
        assert response.status in (400, 403), target
    assert all(request.target != "/vod/other/a.ts" for request in paths.site.requests)


def test_no_log_has_the_token(paths):
    """Whatever becomes of the request."""
    token = paths.session()
    paths.site.put("/vod/a.ts", b"media")
    refused = {
        f"{token}/live/a.ts": 403, f"{token}/vod/../a.ts": 400, f"{token}/vod/a%2fb.ts": 400, f"{token}": 400, f"{token}?x=/": 400,
        f"{token}{token}/vod/a.ts": 403, f"{token}x/vod/a.ts": 403, f"{token}//vod/a.ts": 400, f"/%7e{token[2:]}%2f/vod/a.ts": 403,
        f"{token}\\/vod/a.ts": 400, f"{token}/vod/a.ts?hdntl={token[2:]}": 403, f"{token}/vod/%00": 400,
    }
    answers = {target: paths.get(target) for target in (f"{token}/vod/a.ts", *refused)}
    assert {target: answers[target].status for target in refused} == refused
    for target, answer in answers.items():
        logged = paths.proxy.logged(answer.id)
        assert token[2:40] not in logged["path"].partition("?")[0], target


def test_check_reports_what_the_first_route_decides(paths):
    """Of this configuration, exactly the routes that the tests above show."""
    run = subprocess.run([places.command(), "check", "--json", "--envoy", paths.proxy.directory / "envoy.json"], capture_output=True)
    said = json.loads(run.stdout)
    found = re.findall(r"listeners\[(\d)\]\S*routes\[(\d+)\]\S*: (?:\"(\w+)\"|names)", json.dumps(said).replace('\\"', '"'))
    names = [[one["name"] for one in routes] for routes in (ROUTES, NAMED, TURNED_ON)]
    assert {(names[int(listener)][int(route)], what) for listener, route, what in found} == {
        ("earlier", "earlier"), ("on", "optional"), ("off", "usual"), ("named-one", ""), ("other", ""),
        ("one", "playlock")}
