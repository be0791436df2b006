#!/usr/bin/env python3
"""Shows that the properties can fail: each mutant introduces one bug into a copy of the core, and the seeds of the named
properties must then fail.

    python3 fuzz/mutants.py [TEXT]     (TEXT: only mutants whose name contains it)
    python3 fuzz/mutants.py --list     (checks that each mutant still finds the code that it breaks)
"""

import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPY = ROOT / "target" / "fuzz" / "mutants"
CORE = "crates/core/src/"

# What is broken, where, how, and which properties see it.
MUTANTS = [
    ("a block is not encrypted", "crates/core/src/media/segment.rs", "        lane.message.encrypt_blocks(lane.blocks);\n", "        if let Some((_, blocks)) = lane.blocks.split_first_mut() { lane.message.encrypt_blocks(blocks); }\n", "segment"),
    ("the carry goes out in clear", CORE + "media/segment.rs", "        self.cbc.encrypt_blocks(core::slice::from_mut(&mut block));\n", "", "segment exchange range"),
    ("wrong padding", CORE + "media/segment.rs", "let padding = BLOCK - self.carry.len() % BLOCK;", "let padding = BLOCK;", "segment exchange range"),
    ("a session token is not verified", CORE + "session/token.rs", "mac.verify_truncated_left(self.mac).is_ok()", "mac.verify_truncated_left(self.mac).is_ok() || true", "session token"),
    ("half of a session token's MAC is compared", CORE + "session/token.rs", "mac.verify_truncated_left(self.mac)", "mac.verify_truncated_left(&self.mac[..8])", "session"),
    ("a varint has two spellings", CORE + "session/token.rs", "let shortest = byte != 0 || shift == 0;", "let shortest = true;", "session"),
    ("a network has bits outside its prefix", CORE + "session/token.rs", "(length > 0 && network.trunc() == network)", "(length > 0)", "session"),
    ("an access token is not verified", CORE + "token/edge_auth.rs", "self.check_claims(fitting.ok_or(Reason::Signature)?, incoming)", "self.check_claims(fitting.or(claims.first()).ok_or(Reason::Signature)?, incoming)", "token"),
    ("a field may come twice", CORE + "token/edge_auth.rs", "acl::is_valid(value) && claims.acl.replace(value).is_none()", "acl::is_valid(value) && (claims.acl.replace(value).is_none() || true)", "token"),
    ("an expired token is good", CORE + "token/edge_auth.rs", "if now > self.exp.saturating_add(skew) {", "if false && now > self.exp.saturating_add(skew) {", "token"),
    ("a token is early by a second more", CORE + "token/edge_auth.rs", "now.saturating_add(skew) < st", "now.saturating_add(skew).saturating_add(1) < st", "token"),
    ("a session is for every path", CORE + "session/mod.rs", "if acl::allows(&self.acl, path) { Ok(()) } else { Err(Reason::Path) }", "let _ = acl::allows(&self.acl, path); Ok(())", "path"),
    ("%2f is a slash", CORE + "http/target.rs", "separators(&decoded) != separators(raw) || ", "", "path"),
    ("what is escaped twice is taken", CORE + "http/target.rs", " || percent::has_escape(&decoded)", "", "path"),
    ("a backslash is taken", CORE + "http/target.rs", "c.is_control() || c == '\\\\'", "c.is_control()", "path"),
    ("dots behind parameters are taken", CORE + "http/target.rs", "let name = segment.split_once(';').map_or(segment, |(name, _)| name);", "let name = segment;", "path"),
    ("a renewed token is not verified", CORE + "token/key_set/mod.rs", "Material::Hs256(mac) => absorb(mac, message).verify_slice(signature).is_ok(),", "Material::Hs256(mac) => absorb(mac, message).verify_slice(signature).is_ok() || true,", "urisigning"),
    ("a signed URI is a prefix", CORE + "token/uri_signing/regex.rs", "if threads.is_empty() || run.steps > MAX_STEPS {", "if threads.contains(&self.program.len()) { return true; }\n            if threads.is_empty() || run.steps > MAX_STEPS {", "urisigning"),
    ("the last second is one too many", CORE + "token/uri_signing/claims.rs", "now >= exp", "now > exp", "urisigning"),
    ("a path parameter reaches the origin", CORE + "request/edits.rs", "=> incoming.plain_target.map(Into::into),", "=> None,", "urisigning"),
    ("* does not cross slashes", CORE + "token/acl.rs", "Some((star_g, star_p)), _) if star_p < path.len() => {", "Some((star_g, star_p)), _) if star_p < path.len() && path.get(star_p) != Some(&b'/') => {", "path"),
    ("an escaped * is a wildcard", CORE + "token/acl.rs", "globs.extend(percent::decode(rest)?.into_iter().map(Glob::Byte));", "globs.extend(percent::decode(rest)?.into_iter().map(|b| if b == b'*' { Glob::Any } else { Glob::Byte(b) }));", "path"),
    ("an escaped name of ours is not known", CORE + "http/target.rs", "length => length > name.len() &&", "length => false && length > name.len() &&", "query"),
    ("the session token reaches the origin", "crates/config/src/read/policy.rs", "[SIGNED_PARAMETER.into(), session.name.as_str().into()]", "[SIGNED_PARAMETER.into()]", "query"),
    ("cookies reach the origin", CORE + "request/edits.rs", "!policy.is_chained() && jar::is_cookie(&policy.session.name, cookie)", "false", "query"),
    ("two tokens are one", CORE + "http/incoming.rs", "if values.next().is_some() { Err(Reason::Duplicate) }", "if false { Err(Reason::Duplicate) }", "query"),
    ("one parameter of the origin's is lost", CORE + "http/target.rs", "        if any {\n            kept.push('&');", "        if any && name.is_empty() { continue }\n        if any {\n            kept.push('&');", "query"),
    ("the path is not under the MAC", CORE + "token/derive.rs", "self.mac(&[purpose.as_bytes(), path.as_bytes(), ", "self.mac(&[purpose.as_bytes(), &path.as_bytes()[..0], ", "parameter"),
    ("the query is not under the MAC", CORE + "token/derive.rs", "path.as_bytes(), query.as_bytes(), session", "path.as_bytes(), &query.as_bytes()[..0], session", "parameter"),
    ("reports are under the MAC", CORE + "http/query.rs", " && !target::is_named(name, REPORT)", "", "parameter"),
    ("the purpose is not under the MAC", CORE + "token/derive.rs", "self.mac(&[purpose.as_bytes(), path.as_bytes(), ", "self.mac(&[&purpose.as_bytes()[..0], path.as_bytes(), ", "parameter"),
    ("half of the MAC is compared", CORE + "token/signed.rs", "bool::from(mac.as_slice().ct_eq(&expected))", "bool::from(mac[..mac.len().min(8)].ct_eq(&expected[..8]))", "parameter"),
    ("what is no media stays in clear", CORE + "response/body/samples.rs", "_ => return Err(SamplesError::Unknown),", "_ => State::Clear,", "samples"),
    ("trailers end any media of an MPD", CORE + "response/body/samples.rs", "State::Start(..) | State::Mp4(_) => false,", "State::Start(..) | State::Mp4(_) => true,", "samples"),
    ("one block in nine is encrypted", "crates/cmaf/src/settings.rs", ".saturating_sub(1).min(9)", ".saturating_sub(1).min(8)", "samples"),
    ("a packaged key is another content's", CORE + "request/license.rs", "&source.key(content, kid.bytes())", "&source.key(\"\", kid.bytes())", "license"),
    ("a license for PUT", CORE + "request/license.rs", "true if head.method == Method::Post => Ok(()),", "true if head.method != Method::Get => Ok(()),", "license"),
    ("a range is off by one", CORE + "token/signed.rs", "self.offset.saturating_add(self.length).saturating_sub(1)", "self.offset.saturating_add(self.length)", "parameter"),
    ("a range is one byte longer", CORE + "media/client_range.rs", "last.unwrap_or(end).min(end)),", "last.unwrap_or(end).saturating_add(1).min(end)),", "range"),
    ("the last bytes are counted wrong", CORE + "media/client_range.rs", "length.saturating_sub(count), end", "length.saturating_sub(count + 1), end", "range"),
    ("a short body is served", CORE + "response/body/window.rs", "if end_of_stream && !self.is_complete() {", "if false && end_of_stream && !self.is_complete() {", "range exchange"),
    ("what is too much is dropped", CORE + "response/body/window.rs", "if served < rest && !self.more {", "if false && served < rest && !self.more {", "exchange"),
    ("an unasked 206 is served", CORE + "response/media.rs", "if status == 206 && request", "if false && status == 206 && request", "exchange"),
    ("a 204's body passes", CORE + "response/mod.rs", "(!self.end_of_stream).then_some(Body::Ended)", "false.then_some(Body::Ended)", "exchange"),
    ("trailers end any body", CORE + "exchange.rs", "State::Body(body) => match body.is_complete() {", "State::Body(body) => match true || body.is_complete() {", "exchange"),
    ("it goes on after a reset", CORE + "exchange.rs", "State::Broken(reason) => BodyStep::Reset(*reason),", "State::Broken(_) => BodyStep::Forward,", "exchange range"),
    ("streams are confused", CORE + "media/batch.rs", "self.ready.extend(begun.into_iter().map(|(stream, _, out)| (stream, out)));", "let last = begun.first().map_or(0, |first| first.0); self.ready.extend(begun.into_iter().map(|(_, _, out)| (last, out)));", "exchange"),
    ("what is owed is lost", CORE + "media/batch.rs", "        Some(self.owed.swap_remove(at).1)\n", "        self.owed.swap_remove(at);\n        None\n", "exchange"),
    ("a chunk that waits is lost", CORE + "media/batch.rs", "            before.append(&mut chunk);\n            chunk = before;\n", "            before.clear();\n", "exchange"),
    ("a token is left out", CORE + "playlist/tag.rs", 'b"#EXT-X-RENDITION-REPORT" => self.uris', 'b"#EXT-X-RENDITION-REPORTS" => self.uris', "playlist"),
    ("https is left", CORE + "http/base.rs", "if self.scheme == Scheme::Https && plain() => {", "if false && plain() => {", "playlist"),
    ("another host gets the token", CORE + "http/base.rs", "authority == self.own.authority || self.own.hosts.iter()", "true || self.own.hosts.iter()", "playlist"),
    ("blanks at the end are lost", CORE + "playlist/uri.rs", "        out.extend_from_slice(bug::part(line.text, start + uri.len().., Reason::Line)?);\n", "", "playlist"),
    ("a comment is lost", CORE + "playlist/mod.rs", '        } else if text.starts_with(b"#") {\n            self.scope.pass(line, out)', '        } else if text.starts_with(b"#") {\n            Ok(())', "playlist"),
    ("the key comes once only", CORE + "playlist/key_scope.rs", "if self.in_force.take().is_some() {", "if self.in_force.is_some() {", "playlist"),
    ("a chunk's end is a line's end", CORE + "playlist/line.rs", "            if end.is_none() {\n", "            if end.is_none() && piece.len() > 40 { each(Line::new(piece), rest)?; continue; }\n            if end.is_none() {\n", "playlist"),
    ("lines have no limit", CORE + "playlist/line.rs", "if self.carry.len() + piece.len() > MAX_LINE {", "if false && self.carry.len() + piece.len() > MAX_LINE {", "playlist"),
    ("an open segment has no limit", CORE + "playlist/key_scope.rs", "Some(start) if out.len() - bug::within(start, out.len()) > MAX_LINE => Err(Reason::Line),", "Some(start) if false && out.len() - bug::within(start, out.len()) > MAX_LINE => Err(Reason::Line),", "playlist"),
    ("a second token in the path is not seen", CORE + "http/path_token.rs", "(plain, repeated) = (behind_first(plain).unwrap_or(b\"/\"), true);", "plain = behind_first(plain).unwrap_or(b\"/\");", "in_path"),
    ("an escaped marker is none", CORE + "http/path_token.rs", "filter(|segment| segment.contains('%'))", "filter(|_| false)", "in_path"),
    ("a token in the path may have any bytes", CORE + "http/path_token.rs", "if !sent.bytes().all(graphic) {", "if false && !sent.bytes().all(graphic) {", "in_path"),
    ("a token in two places is one", CORE + "session/jar.rs", "if cookies.any(|cookie| cookie == name.as_bytes() || cookie == own.as_bytes()) {", "if false {", "in_path"),
    ("the log shows odd targets", CORE + "http/plain_target.rs", 'core::str::from_utf8(&self.target).unwrap_or("/")', 'core::str::from_utf8(&self.target).unwrap_or("/%ff")', "in_path"),
    ("a path with a token has two meanings", CORE + "request/content.rs", "if incoming.path_token != Ok(None) && !takes_token", "if false && !takes_token", "in_path"),
    ("URIs that climb inherit", CORE + "playlist/fast_path.rs", "& dots & before_end != 0 {", "& dots & before_end & 0 != 0 {", "playlist"),
    ("absolute paths inherit", CORE + "playlist/fast_path.rs", "if STRAIGHT && text.get(at) == Some(&b'/') {", "if false && text.get(at) == Some(&b'/') {", "playlist"),
    ("all relative URIs inherit", CORE + "http/base.rs", "depth.checked_sub(1).map(|less| depth = less).is_some()", "depth.checked_sub(1).map(|less| depth = less).is_some() || true", "playlist"),
    ("a path's slashes begin an authority", CORE + "http/url.rs", "    if !is_scheme {", "    if false && !is_scheme {", "playlist"),
    ("an error has no path", "crates/config/src/read/token_auth.rs", 'ConfigError::new(path, format!("found \\"{name}\\", which is', 'ConfigError::new("", format!("found \\"{name}\\", which is', "config"),
    ("a secret is shown", "crates/config/src/secret.rs", '{path}: the secret stands in the configuration', '{path}: {text} stands in the configuration', "config"),
    ("an error names another path", "crates/config/src/compile.rs", 'let path = format!("policies[{index}]");', 'let path = format!("policy[{index}]");', "config"),
]


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    if word == "--list":
        # Every mutant still finds the code that it breaks.
        stale = [f"{name}: not in {file}" for name, file, old, _, _ in MUTANTS if old not in (ROOT / file).read_text()]
        print("\n".join(stale) or f"{len(MUTANTS)} mutants")
        sys.exit(1 if stale else 0)
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    for name in ["Cargo.toml", "Cargo.lock", "crates", "fuzz", "src", "tests"]:
        source = ROOT / name
        ignore = shutil.ignore_patterns("node_modules")
        shutil.copytree(source, COPY / name, ignore=ignore) if source.is_dir() else shutil.copy2(source, COPY / name)
    blind = []
    for name, file, old, new, seen_by in MUTANTS:
        if word not in name:
            continue
        path = COPY / file
        text = path.read_text()
        if text.count(old) < 1:
            sys.exit(f"{name}: what is to be broken is not in {file} any more")
        path.write_text(text.replace(old, new, 1))
        saw = [target for target in seen_by.split() if not holds(target)] if build() else ["(does not compile)"]
        path.write_text(text)
        missed = [target for target in seen_by.split() if target not in saw]
        print(f"{name:42} seen by {' '.join(saw) or 'nothing'}{'  MISSED by ' + ' '.join(missed) if missed else ''}", flush=True)
        if not saw or missed or "(does not compile)" in saw:
            blind.append(name)
    if blind:
        sys.exit(f"not seen: {', '.join(blind)}")


COMMAND = ["cargo", "run", "--quiet", "--manifest-path", str(COPY / "fuzz/Cargo.toml"), "--no-default-features",
           "--example", "replay",
           # Built once for each mutant: that takes longer than the seeds do.
           "--config", "profile.dev.package.playlock-core.opt-level=0"]
ENVIRONMENT = {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target/fuzz/mutants-build"), "RUSTFLAGS": "-Awarnings", "RUST_BACKTRACE": "0"}


def build():
    command = ["cargo", "build", *COMMAND[2:]]
    return subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def holds(target):
    command = [*COMMAND, "--", target, str(ROOT / "fuzz/seeds" / target)]
    result = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300)
    return result.returncode == 0


if __name__ == "__main__":
    main()
