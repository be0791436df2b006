"""Tests access tokens as sites sign them: with both published libraries, at the current time."""

import json
from urllib.parse import quote

import pytest

from support import tokens
from support.hls import Viewer, parse

EVERY_MAKER = pytest.mark.parametrize("make", tokens.MAKERS.values(), ids=tokens.MAKERS)
SEGMENT = b"what the customer sells" * 9


@pytest.fixture(autouse=True)
def streams(site):
    """A stream in the folder of every customer whose token is looked at."""
    for folder in ("vod", "vod/a", "vod/b c", "salted", "weak", "older", "oldest"):
        site.stream(folder, seg_ts=SEGMENT)


def opens(edge, folder, token, name="hdnts", headers=None):
    """The link leads to a stream that plays: playlist, key and segment."""
    viewer = Viewer(headers=headers)
    playlist = viewer.playlist(edge.link(f"/{folder}/index.m3u8", token, name))
    assert viewer.plain(playlist.segments[0]) == SEGMENT
    return True


def refused(edge, folder, token, name="hdnts", headers=None):
    """Checks that the link leads to a 403, and returns its reason."""
    response = edge.get(edge.link(f"/{folder}/index.m3u8", token, name), headers)
    assert response.status == 403 and SEGMENT not in response.body
    assert not edge.asked()
    return json.loads(response.body)["type"]


@EVERY_MAKER
@pytest.mark.parametrize("acl", [
    "/vod/a/*", "/*", "*", "*/a/*", "/vod/?/*", "/v*/a/*", "/elsewhere/*!/vod/*", "/vod/a/index.m3u8",
    ["/no/*", "/vod/a/*"], "/vod/a/index.m3u8!/vod/a/*",
])
def test_an_acl_token_opens_what_it_covers(shop, make, acl):
    assert opens(shop, "vod/a", make(acl=acl))


@EVERY_MAKER
@pytest.mark.parametrize("acl", ["/vod/b/*", "/vod/a", "/vod", "/VOD/*", "/vod/??/*", "/vod/a/master.m3u8", "/no/*!/neither/*"])
def test_and_nothing_else(shop, make, acl):
    assert refused(shop, "vod/a", make(acl=acl)) == "path"


@EVERY_MAKER
def test_a_url_token_opens_its_url_and_what_lies_below(shop, make):
    assert opens(shop, "vod/a", make(url="/vod/a/index.m3u8"))
    shop.site.requests.clear()
    assert refused(shop, "vod", make(url="/vod/a/index.m3u8")) == "signature"


@EVERY_MAKER
@pytest.mark.parametrize("ip", ["203.0.113.7", "2001:db8::7"])
def test_a_token_for_one_address(shop, make, ip):
    """The address that the proxy trusts counts: here the last hop of X-Forwarded-For."""
    token = make(acl="/vod/*", ip=ip)
    assert opens(shop, "vod/a", token, headers={"X-Forwarded-For": ip})
    shop.site.requests.clear()
    assert refused(shop, "vod/a", token, headers={"X-Forwarded-For": f"{ip}, 198.51.100.1"}) == "ip"
    assert refused(shop, "vod/a", token) == "ip"


@EVERY_MAKER
def test_start_and_end(shop, make):
    now = tokens.now()
    assert opens(shop, "vod/a", make(acl="/vod/*", st=now - 60, exp=now + 3600))
    shop.site.requests.clear()
    assert refused(shop, "vod/a", make(acl="/vod/*", st=now + 3600, exp=now + 7200)) == "early"
    assert refused(shop, "vod/a", make(acl="/vod/*", exp=now - 3600)) == "expired"


@EVERY_MAKER
def test_id_and_data_ride_along(shop, make):
    assert opens(shop, "vod/a", make(acl="/vod/*", id="viewer-7", data="user=42,plan=gold"))


@EVERY_MAKER
def test_everything_at_once(shop, make):
    now = tokens.now()
    token = make(acl=["/nothing/*", "/vod/?/*"], ip="203.0.113.7", st=now - 60, exp=now + 600, id="sess-1", data="user=42")
    assert opens(shop, "vod/a", token, headers={"X-Forwarded-For": "203.0.113.7"})


@EVERY_MAKER
def test_a_salt_is_part_of_the_key(shop, make):
    assert opens(shop, "salted", make(acl="/salted/*", salt="NaCl"))
    shop.site.requests.clear()
    assert refused(shop, "salted", make(acl="/salted/*", salt="KCl")) == "signature"
    assert refused(shop, "salted", make(acl="/salted/*")) == "signature"


@EVERY_MAKER
def test_escape_early(shop, make):
    """The two libraries escape differently; tokens of both are accepted, with escapes in ip, id, data and URL."""
    assert opens(shop, "vod/a", make(acl="/vod/*", id="a b", data="x=1&y=(2)!", escape_early=True))
    assert opens(shop, "vod/a", make(url="/vod/a/index.m3u8", data="a b~c", escape_early=True))
    assert opens(shop, "vod/a", make(acl="/vod/*", ip="2001:db8::7", escape_early=True),
                 headers={"X-Forwarded-For": "2001:db8::7"})


@EVERY_MAKER
def test_escape_early_of_a_path_with_a_blank(shop, make):
    """The customer signs the path unescaped; the player sends it escaped."""
    token = make(url="/vod/b c/index.m3u8", escape_early=True)
    shop.site.replies["/vod/b%20c/index.m3u8"] = shop.site.replies["/vod/b c/index.m3u8"]
    shop.site.replies["/vod/b%20c/seg.ts"] = shop.site.replies["/vod/b c/seg.ts"]
    assert opens(shop, "vod/b%20c", token)


@EVERY_MAKER
@pytest.mark.parametrize("algorithm", ["sha1", "md5"])
def test_weak_algorithms_only_where_the_policy_names_them(shop, make, algorithm):
    assert refused(shop, "vod", make(acl="/*", algorithm=algorithm)) == "algorithm"
    assert opens(shop, "weak", make(acl="/*", algorithm=algorithm))
    assert opens(shop, "weak", make(acl="/*"))


@EVERY_MAKER
def test_the_transition_password_opens_too(shop, make):
    assert opens(shop, "vod", make(acl="/vod/*", key=tokens.TRANSITION))
    shop.site.requests.clear()
    assert refused(shop, "vod", make(acl="/vod/*", key=tokens.STRANGER)) == "signature"


@pytest.mark.parametrize("folder, name", [("vod", "hdnts"), ("older", "hdnea"), ("oldest", "__token__")])
def test_in_query_cookie_or_header_under_the_policys_name(shop, folder, name):
    token = tokens.by_python(acl=f"/{folder}/*")
    assert opens(shop, folder, token, name)
    for header in ({"Cookie": f"a=b; {name}={token}"}, {name: token}):
        opened = shop.get(f"/{folder}/index.m3u8", header)
        assert opened.status == 200, opened.body
        item = parse(opened.text, f"{shop.url}/{folder}/index.m3u8").segments[0]
        assert Viewer().plain(item) == SEGMENT
    for request in shop.asked():
        assert token not in repr(request), "the origin must not see the token"
    shop.site.requests.clear()
    assert shop.get(f"/{folder}/index.m3u8?other={token}").status == 403
    assert not shop.asked()


def test_a_token_that_the_player_escaped(shop):
    """Players and link builders may escape `~`, `=`, `/`, `*` and `!`."""
    token = tokens.by_python(acl="/vod/*!/x/*", data="a=b")
    assert opens(shop, "vod", quote(token, safe=""))
    assert opens(shop, "vod", token.replace("~", "%7E").replace("*", "%2a"))
    assert opens(shop, "vod", f"{token}&utm=1")
