//! The same decisions as the machine in memory: any order of questions, ended sessions, passing time and lost data.

use std::sync::OnceLock;

use playlock_leases::{Answer, Client, Filter, Live, OfPolicy, OnLimit, Question, Realm, Redis, Viewer, Which};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::server::Server;
use crate::support::{NOW, all, question, session};

#[derive(Debug, Clone)]
enum Event {
    Ask(Box<Ask>),
    End { session: Option<u32> },
    Lost,
}

#[derive(Debug, Clone)]
struct Ask {
    after: u64,
    session: u32,
    number: Option<u64>,
    limit: u32,
    refuses: bool,
    keys_ahead: u32,
    duration: u64,
    lasts: u64,
    policy: bool,
}

/// Numbers of periods: neighbours, places far apart, the ends of the type, and where floating point has gaps.
fn number() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![
        1 => Just(None),
        6 => (0..12_u64).prop_map(Some),
        6 => (0..40_u64).prop_map(|place| Some(place * 7)),
        2 => (0..4_u64).prop_map(|from| Some(u64::MAX - from)),
        2 => (0..6_u64).prop_map(|from| Some((1 << 53) - 2 + from)),
    ]
}

/// One session that seeks, few that stay, or many that come and go; a limit that stays, or changes with each question.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let sessions = prop_oneof![Just(1_u32), Just(4), Just(60)];
    let most = prop_oneof![1..=1_u32, 2..=2_u32, 1..=5_u32];
    let lasts = prop_oneof![3 => Just(86_400_000_u64), 1 => 1..100_000_u64, 2 => Just(1000)];
    (sessions, most, any::<bool>(), lasts).prop_flat_map(|(sessions, most, mixes, lasts)| {
        let limit = if mixes { 1..=most } else { most..=most };
        // The ends of leases and of what is remembered, to the millisecond, among others.
        let ends = prop_oneof![Just(90_000), Just(37_001), Just(1000), Just(1000)];
        let after = prop_oneof![9 => Just(0), 9 => 0..1000_u64, 1 => 0..200_000_u64, 3 => ends];
        let terms = (limit, any::<bool>(), prop_oneof![1..4_u32, Just(1000)], prop_oneof![Just(60_000), Just(7001)]);
        let lasts = prop_oneof![8 => Just(lasts), 1 => 1..100_000_u64];
        let ask = (after, 0..sessions, number(), terms, lasts, any::<bool>()).prop_map(
            move |(after, session, number, (limit, refuses, keys_ahead, duration), lasts, policy)| {
                let refuses = if mixes { refuses } else { most % 2 == 0 };
                let ask = Ask { after, session, number, limit, refuses, keys_ahead, duration, lasts, policy };
                Event::Ask(Box::new(ask))
            },
        );
        let event = prop_oneof![
            160 => ask,
            6 => proptest::option::of(0..sessions).prop_map(|session| Event::End { session }),
            1 => Just(Event::Lost),
        ];
        proptest::collection::vec(event, 1..240)
    })
}

impl Ask {
    fn question(&self) -> Question {
        let mut question = question("ann", self.session);
        question.limit = self.limit;
        question.terms.on_limit = if self.refuses { OnLimit::RefuseNew } else { OnLimit::EndOldest };
        question.terms.keys_ahead = self.keys_ahead;
        question.terms.period = self.duration;
        question.terms.session = self.lasts;
        question.period = self.number;
        if self.policy {
            question.policy = "live:1".into();
            question.stream = String::new();
            question.client = Client::parse("192.0.2.0/24");
        }
        question
    }
}

/// The machine's leases as the store lists them.
fn listed(viewer: &Viewer) -> Vec<Live> {
    let mut live: Vec<_> = viewer
        .leases()
        .iter()
        .cloned()
        .map(|lease| Live {
            realm: Realm::Default,
            group: "tv".into(),
            viewer: "ann".into(),
            session: lease.session,
            policy: lease.policy,
            stream: lease.stream,
            client: lease.client,
            since: lease.since,
            renewed: lease.renewed,
            expires: lease.expires,
        })
        .collect();
    live.sort_by_key(|live| (live.since, live.session));
    live
}

/// The lists, and the numbers.
async fn compare(redis: &Redis, viewer: &Viewer, now: u64) {
    let expected = listed(viewer);
    for filter in [Filter::default(), Filter { viewer: Some("ann".into()), ..Filter::default() }] {
        assert_eq!(all(redis, now, &filter, 3).await, expected, "the leases by {filter:?}");
    }
    let counts = redis.counts(Some(now)).await.unwrap();
    assert_eq!(counts.viewers, u64::from(!expected.is_empty()));
    let of = |policy: &str| {
        let sessions = expected.iter().filter(|live| live.policy == policy).count() as u64;
        (sessions > 0).then_some(OfPolicy { realm: Realm::Default, policy: policy.into(), sessions })
    };
    assert_eq!(counts.policies, ["live:1", "vod"].into_iter().filter_map(of).collect::<Vec<_>>());
}

async fn play(server: &Server, redis: &Redis, events: Vec<Event>) {
    let lose = async || server.command::<()>(&["FLUSHALL"]).await;
    lose().await;
    let (mut viewer, mut now) = (Viewer::default(), NOW);
    for (at, event) in events.into_iter().enumerate() {
        match event {
            Event::Lost => {
                lose().await;
                viewer = Viewer::default();
            }
            Event::End { session: number } => {
                let (group, name) = ("tv".into(), "ann".into());
                let which = Which { realm: Realm::Default, group, viewer: name, session: number.map(session) };
                let ended = redis.end(Some(now), &which).await.unwrap();
                assert_eq!(ended, viewer.end(now, which.session), "{which:?}");
            }
            Event::Ask(ask) => {
                now += ask.after;
                let question = ask.question();
                let answer: Answer = redis.ask(Some(now), &question).await.unwrap();
                assert_eq!(answer, viewer.ask(now, &question), "{ask:?} at {now}");
            }
        }
        if at % 4 == 0 {
            compare(redis, &viewer, now).await;
        }
    }
    compare(redis, &viewer, now).await;
}

/// One for all cases of a test.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

#[test]
fn redis_decides_as_the_machine_does() {
    let server = Server::start();
    let redis = runtime().block_on(async { server.store() });
    let configuration = ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() };
    proptest!(configuration, |(events in events())| runtime().block_on(play(&server, &redis, events)));
}
