//! Sessions listed and counted, by the indexes.

use std::collections::{BTreeMap, BTreeSet};

use redis::{Pipeline, pipe};

use super::keys::{self, Member};
use super::link::Link;
use crate::Millis;
use crate::question::Realm;
use crate::session::{Counts, Filter, Live, OfPolicy, Page, SessionId};
use crate::store::Unavailable;

/// Leases that are fetched at once. Between two fetches Redis answers questions.
const SLICE: usize = 500;
/// Fetches for one page. A filter that few sessions pass makes the page shorter than it could be, and it has a `next`.
const SLICES: usize = 60;

type Position = (Millis, SessionId);

/// Up to `limit` sessions that are live at `now`, by their beginning, after `cursor`.
pub async fn sessions(
    link: &Link,
    now: Millis,
    filter: &Filter,
    cursor: Option<Position>,
    limit: usize,
) -> Result<Page, Unavailable> {
    let (mut sessions, mut position): (Vec<Live>, _) = (Vec::new(), cursor);
    let of_viewer = match &filter.viewer {
        Some(viewer) => Some(of_viewer(link, filter, viewer).await?),
        None => None,
    };
    for _ in 0..SLICES {
        let (members, is_last) = match &of_viewer {
            Some(members) => {
                let rest = members.iter().filter(|member| position.is_none_or(|position| member.order > position));
                let slice: Vec<_> = rest.take(SLICE).cloned().collect();
                let is_last = slice.len() < SLICE;
                (slice, is_last)
            }
            None => of_all(link, filter, position).await?,
        };
        // Members of the index have the policy, so that others need not be fetched.
        let end = members.last().map(|member| member.order);
        let is_wanted = |member: &Member| filter.policy.as_deref().is_none_or(|policy| policy == member.policy);
        let wanted: Vec<_> = members.into_iter().filter(|member| of_viewer.is_some() || is_wanted(member)).collect();
        for live in fetch(link, now, wanted).await? {
            if !filter.admits(&live) {
                continue;
            }
            if sessions.len() == limit {
                return Ok(Page { next: position.map(cursor_of), sessions });
            }
            position = Some((live.since, live.session));
            sessions.push(live);
        }
        position = end.or(position);
        if is_last {
            return Ok(Page { sessions, next: None });
        }
    }
    Ok(Page { sessions, next: position.map(cursor_of) })
}

/// Reads a cursor.
pub fn position(cursor: &str) -> Option<Position> {
    let (since, session) = cursor.split_once('.')?;
    Some((since.parse().ok()?, SessionId::parse(session)?))
}

fn cursor_of((since, session): Position) -> String {
    format!("{since}.{session}")
}

fn realms(filter: &Filter) -> impl Iterator<Item = Realm> + Clone {
    let wanted = filter.realm;
    Realm::ALL.into_iter().filter(move |realm| wanted.is_none_or(|wanted| wanted == *realm))
}

/// A slice of the leases after a position, and whether it is the last.
async fn of_all(link: &Link, filter: &Filter, after: Option<Position>) -> Result<(Vec<Member>, bool), Unavailable> {
    let begin = after.map_or_else(|| b"-".to_vec(), |after| [b"(", &Member::after(after)[..]].concat());
    let mut commands = pipe();
    for realm in realms(filter) {
        let key = keys::index(realm, "sessions");
        commands.cmd("ZRANGEBYLEX").arg(key).arg(&begin).arg("+").arg("LIMIT").arg(0).arg(SLICE);
    }
    let found: Vec<Vec<Vec<u8>>> = link.call(&commands, link.deadline()).await?;
    let is_last = found.iter().map(Vec::len).sum::<usize>() < SLICE;
    let read = |(realm, members): (Realm, Vec<Vec<u8>>)| {
        members.into_iter().filter_map(move |member| Member::read(realm, &member)).collect::<Vec<_>>()
    };
    let mut members: Vec<Member> = realms(filter).zip(found).flat_map(read).collect();
    members.sort_by_key(|member| member.order);
    // Behind the slice's end a realm may have more than was fetched.
    members.truncate(SLICE);
    Ok((members, is_last))
}

/// All leases of the viewers of this name. Each group has one; the index has the groups.
async fn of_viewer(link: &Link, filter: &Filter, viewer: &str) -> Result<Vec<Member>, Unavailable> {
    let mut members = Vec::new();
    for realm in realms(filter) {
        let groups: BTreeSet<_> = policies(link, realm).await?.into_iter().map(|(_, group)| group).collect();
        let groups: Vec<_> = groups.into_iter().collect();
        for groups in groups.chunks(SLICE) {
            let mut commands = pipe();
            for group in groups {
                commands.cmd("HGET").arg(keys::viewer(realm, &keys::name(group, viewer))).arg("state");
            }
            let states: Vec<Option<Vec<u8>>> = link.call(&commands, link.deadline()).await?;
            for (group, state) in groups.iter().zip(states) {
                let member = |order| {
                    let (group, viewer) = (group.clone(), viewer.to_owned());
                    Member { order, realm, policy: String::new(), group, viewer }
                };
                members.extend(keys::leases(&state.unwrap_or_default()).into_iter().map(member));
            }
        }
    }
    members.sort_by_key(|member| member.order);
    Ok(members)
}

/// The sessions of the members that are live at `now`, in the same order.
async fn fetch(link: &Link, now: Millis, members: Vec<Member>) -> Result<Vec<Live>, Unavailable> {
    if members.is_empty() {
        return Ok(Vec::new());
    }
    let mut commands = pipe();
    for Member { order: (_, session), realm, group, viewer, .. } in &members {
        commands.cmd("HGET").arg(keys::viewer(*realm, &keys::name(group, viewer))).arg(&session.bytes()[..]);
    }
    let records: Vec<Option<Vec<u8>>> = link.call(&commands, link.deadline()).await?;
    let live = members.into_iter().zip(records).filter_map(|(member, record)| member.live(&record?));
    Ok(live.filter(|live| live.expires > now).collect())
}

/// The pairs of policy and group that may have leases.
async fn policies(link: &Link, realm: Realm) -> Result<BTreeSet<(String, String)>, Unavailable> {
    let (mut found, mut cursor) = (BTreeSet::new(), String::from("0"));
    loop {
        let mut commands = pipe();
        commands.cmd("ZSCAN").arg(keys::index(realm, "policies")).arg(&cursor).arg("COUNT").arg(SLICE);
        let ((next, members),): ((String, Vec<Vec<u8>>),) = link.call(&commands, link.deadline()).await?;
        // Members and scores take turns.
        found.extend(members.iter().step_by(2).filter_map(|member| keys::policy_and_group(member)));
        if next == "0" {
            return Ok(found);
        }
        cursor = next;
    }
}

/// The numbers of viewers and sessions at `now`. They are counted one after the other, while questions are answered.
pub async fn counts(link: &Link, now: Millis) -> Result<Counts, Unavailable> {
    let count = |commands: &mut Pipeline, key: String| {
        commands.cmd("ZCOUNT").arg(key).arg(format!("({now}")).arg("+inf");
    };
    let mut commands = pipe();
    Realm::ALL.into_iter().for_each(|realm| count(&mut commands, keys::index(realm, "viewers")));
    let viewers: Vec<u64> = link.call(&commands, link.deadline()).await?;
    let mut of: BTreeMap<(Realm, String), u64> = BTreeMap::new();
    for realm in Realm::ALL {
        let names: BTreeSet<_> = policies(link, realm).await?.into_iter().map(|(policy, _)| policy).collect();
        let names: Vec<_> = names.into_iter().collect();
        for names in names.chunks(SLICE) {
            let mut commands = pipe();
            names.iter().for_each(|name| count(&mut commands, keys::of_policy(realm) + name));
            let numbers: Vec<u64> = link.call(&commands, link.deadline()).await?;
            of.extend(names.iter().map(|name| (realm, name.clone())).zip(numbers));
        }
    }
    let of = of.into_iter().filter(|(_, sessions)| *sessions > 0);
    let policies: Vec<_> = of.map(|((realm, policy), sessions)| OfPolicy { realm, policy, sessions }).collect();
    let sessions = policies.iter().map(|of| of.sessions).sum();
    Ok(Counts { viewers: viewers.into_iter().sum(), sessions, policies })
}
