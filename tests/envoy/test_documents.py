"""Tests steering manifests and asset lists: URIs in these JSON documents get the session token."""

import json
from urllib.parse import urljoin, urlsplit

import pytest

from support.hls import Viewer, attributes
from support.playback import played
from support.ways import HELD_OR_NOT

BOTH = pytest.mark.parametrize("features", HELD_OR_NOT, indirect=True)
ONE = pytest.mark.parametrize("features", HELD_OR_NOT[:1], indirect=True)
JSON = (("Content-Type", "application/json"), ("ETag", '"plain"'))


def steered(site):
    """A multivariant playlist with a steering server, whose manifests redirect the player twice. Returns its path."""
    at = site.copy("ts", "vod/steered")
    first = '{"VERSION":1,"TTL":1,"RELOAD-URI":"steer2.json?round=2","PATHWAY-PRIORITY":["a"]}'
    second = f'{{"VERSION":1,"TTL":1,\n "RELOAD-URI": "{at}/steer3.json"}}'
    site.put(f"{at}/steer.json", first, headers=JSON)
    site.put(f"{at}/steer2.json", second, headers=JSON, framing="chunked", piece=7)
    site.put(f"{at}/steer3.json", '{"VERSION":1,"TTL":300,"PATHWAY-PRIORITY":["a"]}', headers=JSON)
    return site.put(f"{at}/steered.m3u8", "\n".join([
        "#EXTM3U", "#EXT-X-VERSION:6", '#EXT-X-CONTENT-STEERING:SERVER-URI="steer.json",PATHWAY-ID="a"',
        '#EXT-X-STREAM-INF:BANDWIDTH=133963,CODECS="avc1.4d400d",RESOLUTION=320x180,PATHWAY-ID="a"', "v180/index.m3u8", ""]))


def interrupted(site, edge):
    """A media playlist with an interstitial before it. Its asset list names a stream of this edge by absolute URL, as
    required. Returns the playlist's path."""
    at = site.copy("ts", "vod/interrupted")
    text = site.file(f"{at}/v180/index.m3u8").decode()
    advert = text.partition("#EXTINF:4.000000,\nseg1.ts")[0].replace("seg0", "../v180/seg0") + "#EXT-X-ENDLIST\n"
    site.put(f"{at}/ads/advert.m3u8", advert)
    asset = f'{{"URI": "{edge.url}{at}/ads/advert.m3u8", "DURATION": 4}}'
    site.put(f"{at}/ads/list.json", f'{{"ASSETS": [{asset}], "SKIP-CONTROL": {{"OFFSET": 1}}}}', headers=JSON)
    tags = ["#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z",
            f'#EXT-X-DATERANGE:ID="ad",CLASS="com.apple.hls.interstitial",START-DATE="2026-01-01T00:00:00Z",DURATION=4,CUE="PRE",'
            f'X-ASSET-LIST="{at}/ads/list.json",X-RESUME-OFFSET=0']
    return site.put(f"{at}/v180/interrupted.m3u8", text.replace("#EXTINF", "\n".join([*tags, "#EXTINF"]), 1))


def uri(text, tag, name, url):
    """The target of an attribute of a playlist's tag."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"{tag}:")]
    return urljoin(url, attributes(line.partition(":")[2])[name])


@BOTH
def test_a_player_is_steered_from_manifest_to_manifest(features, site):
    """Each RELOAD-URI is served with the session's token and refused without; players' own parameters reach the
    origin."""
    link = features.link(steered(site))
    at = uri(features.get(link).text, "#EXT-X-CONTENT-STEERING", "SERVER-URI", link)
    for name, query in (("steer.json", ""), ("steer2.json", "round=2&"), ("steer3.json", "")):
        path = f"/vod/steered/ts/{name}"
        assert urlsplit(at).path == path
        site.requests.clear()
        answer = features.get(f"{at}&_HLS_pathway=%22a%22&_HLS_throughput=1000000")
        assert (answer.status, answer.exit) == (200, 0) and answer.all("etag") == []
        assert features.asked(path)[0].target == f"{path}?{query}_HLS_pathway=%22a%22&_HLS_throughput=1000000"
        site.requests.clear()
        assert features.get(path).status == 403 and features.get(f"{at[:-1]}{'0' if at[-1] != '0' else '1'}").status == 403
        assert not features.asked()
        plain, steered_on = json.loads(site.file(path)), json.loads(answer.text)
        reload = steered_on.get("RELOAD-URI")
        assert {**steered_on, "RELOAD-URI": plain.get("RELOAD-URI")} == {"RELOAD-URI": None, **plain}
        assert bool(reload) == ("RELOAD-URI" in plain)
        at = urljoin(at, reload) if reload else at


@BOTH
def test_an_asset_list_leads_to_streams_that_play(features, site):
    viewer, link = Viewer(), features.link(interrupted(site, features))
    listed = uri(viewer.get(link).text, "#EXT-X-DATERANGE", "X-ASSET-LIST", link)
    document = json.loads(viewer.get(f"{listed}&_HLS_primary_id=1").text)
    assert document["SKIP-CONTROL"] == {"OFFSET": 1} and document["ASSETS"][0]["DURATION"] == 4
    advert = viewer.playlist(urljoin(listed, document["ASSETS"][0]["URI"]))
    assert urlsplit(advert.url).path == "/vod/interrupted/ts/ads/advert.m3u8"
    (item,) = advert.segments
    assert viewer.plain(item) == site.file("/ts/v180/seg0.ts")
    assert features.get(urlsplit(listed).path).status == 403


@BOTH
def test_a_document_that_is_compressed_or_endless_is_refused(features, site):
    """A document must be read as a whole to be rewritten."""
    link = features.link(steered(site))
    at = uri(features.get(link).text, "#EXT-X-CONTENT-STEERING", "SERVER-URI", link)
    site.put("/vod/steered/ts/steer.json", b"\x1f\x8b", headers=(*JSON, ("Content-Encoding", "gzip")))
    refused = features.get(at, {"Accept-Encoding": "gzip"})
    assert refused.status == 502 and json.loads(refused.body)["type"] == "encoding"
    for framing in ("length", "chunked"):
        body = b'{"RELOAD-URI":"x.json","X":"' + b"x" * 3_000_000 + b'"}'
        site.put("/vod/steered/ts/steer.json", body, headers=JSON, framing=framing)
        endless = features.get(at)
        assert endless.status == 502 or endless.broken
        assert b"x.json" not in endless.body and features.proxy.logged(endless.id)["reason"] == "document"


@ONE
def test_hls_js_in_chromium_is_steered(features, site, tmp_path):
    """It requests every steering manifest with the token that the previous one added."""
    report = played(features.link(steered(site)), tmp_path / "profile", rate=6)
    assert not report["fatal"] and not report["mediaError"] and not report["errors"], report
    assert report["currentTime"] >= report["duration"] - 0.1 and report["frames"] > 0
    assert {request["status"] for request in report["requests"]} == {200}
    asked = [urlsplit(request.target).path.rpartition("/")[2] for request in features.asked()]
    assert [name for name in asked if name.startswith("steer")][:3] == ["steered.m3u8", "steer.json", "steer2.json"], asked


@ONE
def test_hls_js_in_chromium_plays_an_interstitial(features, site, tmp_path):
    """It requests the asset list, and the advert in it, before the programme."""
    report = played(features.link(interrupted(site, features)), tmp_path / "profile")
    assert not report["fatal"] and not report["mediaError"], report
    assert {request["status"] for request in report["requests"]} == {200}
    paths = {urlsplit(request["url"]).path.removeprefix("/vod/interrupted/ts/") for request in report["requests"]}
    assert {"ads/list.json", "ads/advert.m3u8", "v180/seg0.ts"} <= paths, report
