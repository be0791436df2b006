//! Tests requests to clusters while a viewer's request pauses.

use super::closures::Closures;
use super::*;
use crate::message::{HttpCall, Upstream};

/// A filter that asks a cluster and pauses for its answer.
fn asks(cluster: &'static str) -> Closures {
    Closures::new().request(move |stream, _, _| {
        let pair = |name: &str| (name.to_owned(), b"x".to_vec());
        let headers = vec![pair(":method"), pair(":path"), pair(":authority")];
        match stream.dispatch(HttpCall { cluster: cluster.to_owned(), headers, milliseconds: 1 }) {
            Ok(_) => {
                assert_eq!(stream.header(Map::CallResponseHeaders, ":status"), Err(Status::BadArgument));
                Action::Pause
            }
            Err(status) => {
                stream.send_local_reply(reply(format!("{status:?}").as_bytes()));
                Action::Pause
            }
        }
    })
}

fn with_clusters(filter: &mut Closures) -> Seen {
    let clusters = [
        ("yes", Upstream::Answers(204)),
        ("refuses", Upstream::Refuses),
        ("silent", Upstream::IsSilent),
        ("empty", Upstream::IsEmpty),
    ];
    let clusters = clusters.map(|(name, upstream)| (name.to_owned(), upstream)).into();
    let request = Request { clusters, ..Request::new("GET", "/") };
    Envoy::new(false).exchange(filter, request, &mut |_| abcdef())
}

#[test]
fn a_cluster_is_asked_while_the_request_pauses() {
    for (cluster, status) in [("yes", "204"), ("refuses", "503"), ("silent", "504")] {
        let mut filter = asks(cluster).answer(|stream, _, _| {
            let status = stream.header(Map::CallResponseHeaders, ":status").unwrap();
            stream.send_local_reply(reply(&status));
            Action::Continue
        });
        let seen = with_clusters(&mut filter);
        assert_eq!((seen.status, String::from_utf8_lossy(&seen.body).as_ref()), (Some(403), status));
        assert_eq!(filter.calls, ["request true", "answer 1", "head false", "body 3 true", "log 403"]);
        assert_eq!((seen.origin, seen.call.map(|call| call.cluster)), (None, Some(cluster.to_owned())));
    }
    let mut filter = asks("yes").answer(|stream, _, _| {
        stream.resume();
        Action::Continue
    });
    assert_eq!(with_clusters(&mut filter).body, b"abcdef");
    assert_eq!(with_clusters(&mut asks("yes")).outcome, Outcome::Hang);
}

#[test]
fn a_cluster_that_cannot_be_asked_is_known_at_once() {
    for (cluster, why) in [("empty", "InternalFailure"), ("unknown", "BadArgument")] {
        let mut filter = asks(cluster);
        let seen = with_clusters(&mut filter);
        assert_eq!((String::from_utf8_lossy(&seen.body).as_ref(), seen.call), (why, None));
        assert!(!filter.calls.iter().any(|call| call.starts_with("answer")));
    }
}
