//! Forgeries with tokens in the first segment of the path: moved to other carriers and from there, repeated, and with odd
//! segments around them.

use crate::cross::Take;
use crate::fixture::Ask;
use crate::valid::{Kind, Place, Slot, Valid};

/// All forgeries of requests with a token in the path.
pub fn all(valid: &[Valid], take: Take<'_>) {
    for own in valid.iter().filter(|own| own.viewer == 7) {
        for slot in own.slots.iter().filter(|slot| slot.place == Place::Path) {
            moved(own, *slot, take);
            spelt(own, *slot, take);
        }
    }
    elsewhere(valid, take);
}

/// Calls `take` for the request changed by `change`.
fn put(take: Take<'_>, own: &Valid, slot: Slot, class: &str, change: &dyn Fn(&mut Ask)) {
    let mut ask = own.ask.clone();
    change(&mut ask);
    take(class, slot, own, ask);
}

/// The same token in another carrier, or in two.
fn moved(own: &Valid, slot: Slot, take: Take<'_>) {
    let (_, token) = own.ask.segment.clone().unwrap();
    let name: &[u8] = if slot.kind == Kind::Session { b"hdntl" } else { b"hdnts" };
    let mut put = |class: &str, change: &dyn Fn(&mut Ask)| put(take, own, slot, class, change);
    let to_query = |ask: &mut Ask| ask.query.push((name.to_vec(), token.clone()));
    let to_cookie = |ask: &mut Ask| ask.cookies.push((name.to_vec(), token.clone()));
    put("left out", &|ask| ask.segment = None);
    put("sent empty", &|ask| ask.segment.as_mut().unwrap().1.clear());
    put("path to query", &|ask| {
        ask.segment = None;
        to_query(ask);
    });
    put("path to cookie", &|ask| {
        ask.segment = None;
        to_cookie(ask);
    });
    put("path to header", &|ask| {
        ask.segment = None;
        ask.headers.push((String::from_utf8(name.to_vec()).unwrap(), token.clone()));
    });
    put("in path and query", &to_query);
    put("in path and query", &|ask| ask.query.push((name.to_vec(), b"x".to_vec())));
    put("in path and query", &|ask| ask.query.push((name.to_vec(), Vec::new())));
    put("in path and query", &|ask| ask.query.push(([b"%68", &name[1..]].concat(), token.clone())));
    put("in path and cookie", &to_cookie);
    put("in path and header", &|ask| ask.headers.push((String::from_utf8(name.to_vec()).unwrap(), token.clone())));
}

/// The first segment spelt in another way, repeated, in another position, and with other segments around it.
fn spelt(own: &Valid, slot: Slot, take: Take<'_>) {
    let (before, token) = own.ask.segment.clone().unwrap();
    let whole = [b"/", before.as_slice(), &token].concat();
    let mut put = |class: &str, change: &dyn Fn(&mut Ask)| put(take, own, slot, class, change);
    let mut begin = |class: &str, text: &[u8]| {
        put(class, &|ask| {
            ask.segment = None;
            ask.path = [text, &ask.path].concat();
        });
    };
    let rest = &before[1..];
    for marker in ["%7e", "%7E"] {
        begin("marker escaped", &[b"/", marker.as_bytes(), rest, &token].concat());
    }
    begin("marker escaped twice", &[b"/%257e", rest, &token].concat());
    begin("marker doubled", &[b"/~~", rest, &token].concat());
    begin("marker left out", &[b"/", rest, &token].concat());
    begin("marker full-width", &["/\u{ff5e}".as_bytes(), rest, &token].concat());
    begin("segment repeated", &[whole.as_slice(), &whole].concat());
    begin("segment repeated", &[whole.as_slice(), b"/%7e", rest, &token].concat());
    begin("segment repeated", &[whole.as_slice(), b"/~"].concat());
    begin("segment repeated", &[b"/~x", whole.as_slice()].concat());
    begin("in a later segment", &[b"/x", whole.as_slice()].concat());
    for text in ["/", "/.", "/..", "/x/..", "/%2e", "/;", "/~"] {
        begin("odd segment before", &[text.as_bytes(), &whole].concat());
    }
    for text in
        ["/", "/.", "/..", "/x/..", "/%2e", "/..%2f", "/;", "%2f", "%5c", "\\", "%00", ";x=1", "?", "#", " ", "%20"]
    {
        begin("odd segment behind", &[whole.as_slice(), text.as_bytes()].concat());
    }
    // A key's URL has no further one.
    if let Some(inside) = own.ask.path.iter().skip(1).position(|byte| *byte == b'/') {
        put("in a later segment", &|ask| {
            ask.segment = None;
            ask.path = [&ask.path[..=inside], &whole, &ask.path[inside + 1..]].concat();
        });
    }
    put("segment alone", &|ask| ask.path.clear());
    put("segment alone", &|ask| ask.path = b"/".to_vec());
}

/// Tokens in the path of requests under policies that have them elsewhere, and the other way round.
fn elsewhere(valid: &[Valid], take: Take<'_>) {
    let of_path = || valid.iter().filter(|own| own.viewer == 7 && own.policy == "path");
    for own in valid.iter().filter(|own| own.viewer == 7 && own.policy != "path") {
        let Some(slot) = own.slots.iter().find(|slot| slot.kind != Kind::Signed) else { continue };
        let (kind, token) = (slot.kind, own.value(slot.place).to_vec());
        let before = if kind == Kind::Session { b"~".to_vec() } else { b"~hdnts=".to_vec() };
        put(take, own, *slot, "moved to the path", &|ask| {
            ask.segment = Some((before.clone(), token.clone()));
            if let Place::Query(at) = slot.place {
                ask.query.remove(at);
            }
        });
        put(take, own, *slot, "also in the path", &|ask| ask.segment = Some((before.clone(), token.clone())));
        for other in of_path().filter(|other| other.place(Kind::Session).is_some()).take(1) {
            put(take, own, *slot, "another policy's in the path", &|ask| ask.segment.clone_from(&other.ask.segment));
        }
    }
    // Both kinds of token: the session goes on.
    let access = of_path().find(|own| own.slots[0] == (Slot { kind: Kind::Access, place: Place::Path })).unwrap();
    let (name, token) = access.ask.segment.clone().unwrap();
    for own in of_path().filter(|own| own.place(Kind::Session) == Some(Place::Path)) {
        let slot = Slot { kind: Kind::Session, place: Place::Path };
        put(take, own, slot, "with an access token in the query", &|ask| {
            ask.query.push((b"hdnts".to_vec(), token.clone()));
        });
        put(take, own, slot, "with an access token in the path", &|ask| {
            let session = ask.segment.clone().unwrap();
            ask.segment = Some((name.clone(), [&token, &b"/"[..], &session.0, &session.1].concat()));
        });
    }
}
