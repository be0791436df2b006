//! Names and values in Redis. Texts of any length have their length in front, so that no two of them make one name.
//!
//! | key | type | contents |
//! |---|---|---|
//! | `playlock:1:viewer:REALM:GROUP VIEWER` | hash | `state`: leases and ended sessions; bytes of a session: its record |
//! | `playlock:1:sessions:REALM` | sorted set | leases in the order of lists, each with score 0 |
//! | `playlock:1:expiries:REALM` | sorted set | the same by their end |
//! | `playlock:1:policy:REALM:POLICY` | sorted set | the same, of one policy |
//! | `playlock:1:viewers:REALM` | sorted set | viewers, by the end of their last lease |
//! | `playlock:1:policies:REALM` | sorted set | pairs of policy and group, by about the end of their last lease |
//!
//! The number changes with the format: services of two formats do not share leases, and old keys expire by themselves.
//! All numbers are big-endian, so that the bytes of two leases sort as their beginnings do.

use crate::Millis;
use crate::question::{Client, Realm};
use crate::session::{Live, SessionId};

const PREFIX: &str = "playlock:1";

/// `text` after its length in bytes.
fn counted(text: &[u8]) -> Vec<u8> {
    [text.len().to_string().as_bytes(), b":", text].concat()
}

/// Takes a counted text off the front.
fn take<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let (length, rest) = bytes.split_at_checked(colon)?;
    let length = std::str::from_utf8(length).ok()?.parse().ok()?;
    let (text, rest) = rest.split_first()?.1.split_at_checked(length)?;
    *bytes = rest;
    Some(text)
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    *bytes = rest;
    Some(u64::from_be_bytes(*number))
}

fn session(bytes: &mut &[u8]) -> Option<SessionId> {
    let (id, rest) = bytes.split_first_chunk::<16>()?;
    *bytes = rest;
    Some(SessionId::of(*id))
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

/// A viewer, as the indexes of its realm name it: the group and the viewer.
pub fn name(group: &str, viewer: &str) -> Vec<u8> {
    [&counted(group.as_bytes()), viewer.as_bytes()].concat()
}

/// The key of a viewer's leases.
pub fn viewer(realm: Realm, name: &[u8]) -> Vec<u8> {
    [format!("{PREFIX}:viewer:{}:", realm.word()).as_bytes(), name].concat()
}

/// The key of an index of a realm: `sessions`, `expiries`, `viewers` or `policies`.
pub fn index(realm: Realm, index: &str) -> String {
    format!("{PREFIX}:{index}:{}", realm.word())
}

/// The key of a policy's index without the policy.
pub fn of_policy(realm: Realm) -> String {
    format!("{PREFIX}:policy:{}:", realm.word())
}

/// The policy and the group that a member of the index `policies` consists of.
pub fn policy_and_group(mut member: &[u8]) -> Option<(String, String)> {
    Some((text(take(&mut member)?)?, text(member)?))
}

/// The part of a record that the scripts do not read: the network and the stream.
pub fn details(client: Option<Client>, stream: &str) -> Vec<u8> {
    let client = client.map(|client| client.to_string()).unwrap_or_default();
    [&counted(client.as_bytes()), stream.as_bytes()].concat()
}

/// A lease in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its beginning and its session: the order of lists.
    pub order: (Millis, SessionId),
    /// The realm.
    pub realm: Realm,
    /// The policy.
    pub policy: String,
    /// The group.
    pub group: String,
    /// The viewer.
    pub viewer: String,
}

impl Member {
    /// Reads a member of the index `sessions`.
    pub fn read(realm: Realm, mut bytes: &[u8]) -> Option<Self> {
        let order = (number(&mut bytes)?, session(&mut bytes)?);
        let policy = text(take(&mut bytes)?)?;
        let group = text(take(&mut bytes)?)?;
        Some(Self { order, realm, policy, group, viewer: text(bytes)? })
    }

    /// The bytes between the members up to this position and all further ones.
    pub fn after((since, session): (Millis, SessionId)) -> Vec<u8> {
        // The text that follows in a member begins with a digit.
        [&since.to_be_bytes()[..], &session.bytes(), b":"].concat()
    }

    /// The session as its record describes it; `None` if that is of another lease.
    pub fn live(self, mut record: &[u8]) -> Option<Live> {
        let (since, renewed, expires) = (number(&mut record)?, number(&mut record)?, number(&mut record)?);
        let (_, ranges) = record.split_first_chunk::<16>()?;
        let (count, ranges) = ranges.split_first()?;
        let mut rest = ranges.get(usize::from(*count) * 16..)?;
        let policy = text(take(&mut rest)?)?;
        let client = Client::parse(std::str::from_utf8(take(&mut rest)?).ok()?);
        let stream = text(rest)?;
        let Self { order, realm, group, viewer, .. } = self;
        let session = order.1;
        (since == order.0).then_some(Live {
            realm,
            group,
            viewer,
            session,
            policy,
            stream,
            client,
            since,
            renewed,
            expires,
        })
    }
}

/// The beginnings and sessions of the leases in a viewer's `state`.
pub fn leases(state: &[u8]) -> Vec<(Millis, SessionId)> {
    let Some((count, mut rest)) = state.split_first_chunk::<2>() else { return Vec::new() };
    let lease = |_| {
        let session = session(&mut rest)?;
        let since = number(&mut rest)?;
        number(&mut rest)?;
        Some((since, session))
    };
    (0..u16::from_be_bytes(*count)).map_while(lease).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_look_alike_make_different_names() {
        let names = [
            ("a", "b"),
            ("ab", ""),
            ("", "ab"),
            ("a:1", "b"),
            ("a", ":1b"),
            ("1:a", "b"),
            ("", "1:ab"),
            ("a\0", "b\n"),
        ];
        for (at, left) in names.iter().enumerate() {
            for right in &names[at + 1..] {
                assert_ne!(name(left.0, left.1), name(right.0, right.1));
            }
        }
    }

    #[test]
    fn a_member_is_read_and_sorts_by_its_beginning() {
        let session = SessionId::of([0xff; 16]);
        let member = [&300_u64.to_be_bytes()[..], &[0xff; 16], b"3:a:1", &name("\n", "x:\0")].concat();
        let read = Member::read(Realm::Staging, &member).unwrap();
        let Member { order, realm, policy, group, viewer } = read;
        assert_eq!((order, realm), ((300, session), Realm::Staging));
        assert_eq!((policy.as_str(), group.as_str(), viewer.as_str()), ("a:1", "\n", "x:\0"));
        assert!(Member::after((300, session)) > member);
        assert!(Member::after((300, SessionId::of([0xfe; 16]))) < member);
        assert_eq!(Member::read(Realm::Staging, &member[..30]), None);
    }
}
