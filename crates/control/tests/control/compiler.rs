//! Compilations: off the threads of requests, few at a time, and refused beyond a bound.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use playlock_control::control::{Control, ExchangeStep, Outcome, PolicyAction, Purpose, Secret};
use playlock_control::error::ControlError;
use playlock_control::network::Network;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::on_both;
use crate::support::{Database, anna, policy};

on_both!(writes, checks);

/// Compilations that do not end until they are let.
struct Held {
    jobs: Vec<Pin<Box<dyn Future<Output = Outcome<()>>>>>,
    work: Arc<Work>,
    open: mpsc::Sender<()>,
}

struct Work {
    gate: Mutex<mpsc::Receiver<()>>,
    now: AtomicUsize,
    most: AtomicUsize,
    started: Semaphore,
}

impl Work {
    fn run(&self) {
        self.most.fetch_max(self.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        self.started.add_permits(1);
        let _ = self.gate.lock().unwrap().recv();
        self.now.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Held {
    /// As many as there may be, of which so many run. Each has been polled once, and has its place by that.
    async fn new(control: &Control, purpose: Purpose, running: u32) -> Self {
        let (open, gate) = mpsc::channel::<()>();
        let (gate, started) = (Mutex::new(gate), Semaphore::new(0));
        let work = Arc::new(Work { gate, now: AtomicUsize::new(0), most: AtomicUsize::new(0), started });
        let mut jobs = Vec::new();
        loop {
            let (control, each) = (control.clone(), Arc::clone(&work));
            let mut job: Pin<Box<dyn Future<Output = Outcome<()>>>> =
                Box::pin(async move { control.compile(purpose, move || each.run()).await });
            match begun(job.as_mut()).await {
                None => jobs.push(job),
                Some(Err(ControlError::Busy)) => {
                    work.started.acquire_many(running).await.unwrap().forget();
                    return Self { jobs, work, open };
                }
                Some(other) => panic!("{other:?}"),
            }
            assert!(jobs.len() < 1000);
        }
    }

    /// Lets them end. Returns the largest number of them that ran at a time.
    async fn end(self) -> usize {
        let Self { jobs, work, open } = self;
        drop(open);
        for job in jobs {
            job.await.unwrap();
        }
        work.most.load(Ordering::SeqCst)
    }
}

/// Polls once.
async fn begun<T>(mut future: Pin<&mut (dyn Future<Output = T> + '_)>) -> Option<T> {
    tokio::select! {
        biased;
        done = &mut future => Some(done),
        () = std::future::ready(()) => None,
    }
}

fn refused<T: std::fmt::Debug>(outcome: Outcome<T>) {
    assert!(matches!(outcome, Err(ControlError::Busy)), "{outcome:?}");
}

/// Every write that compiles something waits for its turn, or is refused and leaves nothing.
async fn writes(database: Database) {
    let control = database.open().await;
    let mut promoted = policy("vod");
    promoted["promote"] = json!(true);
    control.create_policy(&anna(), promoted).await.unwrap();
    let configuration = json!({"configurationName": "tv", "hostname": "tv.example"});
    control.create_configuration(&anna(), configuration.clone()).await.unwrap();
    let edited = json!({"policyName": "vod", "tokenAuth": {"enabled": false}, "mediaEncryption": {"enabled": true}});
    let assigned = json!({"assignments": [{"policyId": 1, "path": "/vod"}]});
    control.edit_policy(&anna(), 1, edited.clone()).await.unwrap();
    control.put_assignments(&anna(), "tv.example", assigned.clone()).await.unwrap();
    control.put_settings(&anna(), json!({"batching": true})).await.unwrap();
    let revisions = control.poll().await.unwrap();
    let entries = control.audit(None, 100).await.unwrap().entries.len();

    let held = Held::new(&control, Purpose::Write, 2).await;
    let (anna, settings) = (anna(), json!({"batching": false}));
    refused(control.create_policy(&anna, policy("another")).await);
    refused(control.edit_policy(&anna, 1, policy("vod")).await);
    refused(control.act_on_policy(&anna, 1, PolicyAction::Promote).await);
    refused(control.roll_back_policy(&anna, 1, 1, Network::Staging).await);
    refused(control.put_assignments(&anna, "tv.example", json!({"assignments": []})).await);
    refused(control.act_on_assignments(&anna, "tv.example", true).await);
    refused(control.roll_back_assignments(&anna, "tv.example", 1, Network::Staging).await);
    let everywhere =
        json!({"configurationName": "tv", "hostname": "tv.example", "digitalProperties": {"staging": ["a.example"]}});
    refused(control.edit_configuration(&anna, 1, everywhere).await);
    refused(control.put_settings(&anna, settings).await);
    refused(control.act_on_settings(&anna, true).await);
    refused(control.import(&anna, json!({"policies": [], "assignments": []})).await);
    // Found before anything is compiled: the policy is not the same on both networks.
    assert!(matches!(
        control.do_exchange(&anna, 1, Secret::Encryption, ExchangeStep::Add, None).await,
        Err(ControlError::Conflict(_))
    ));
    // Those who only read do not wait for writers.
    assert_eq!(control.check_policy(policy("another"), Some(1)).await.unwrap().errors, []);
    assert_eq!(control.check_document(json!({})).await.unwrap().errors, []);
    assert_eq!(control.policies().await.unwrap().len(), 2);
    assert_eq!(control.poll().await.unwrap(), revisions);
    assert_eq!(control.audit(None, 100).await.unwrap().entries.len(), entries);
    assert_eq!(held.jobs.len(), 32);
    assert_eq!(held.end().await, 2);
    control.act_on_policy(&anna, 1, PolicyAction::Promote).await.unwrap();

    let held = Held::new(&control, Purpose::Write, 2).await;
    refused(control.do_exchange(&anna, 1, Secret::Encryption, ExchangeStep::Add, None).await);
    held.end().await;
    control.do_exchange(&anna, 1, Secret::Encryption, ExchangeStep::Add, None).await.unwrap();
}

/// Checks are refused by themselves; those that nobody waits for any more still count.
async fn checks(database: Database) {
    let control = database.open().await;
    let mut held = Held::new(&control, Purpose::Check, 2).await;
    refused(control.check_policy(policy("vod"), None).await);
    refused(control.check_document(json!({"policies": 1})).await);
    control.create_policy(&anna(), policy("vod")).await.unwrap();
    assert_eq!(control.candidate(Network::Staging).await.unwrap().revision, 2);
    // Their clients have gone: the two that run still do, and the others never will.
    assert_eq!(std::mem::take(&mut held.jobs).len(), 32);
    let others = Held::new(&control, Purpose::Check, 0).await;
    assert_eq!(others.jobs.len(), 30);
    held.end().await;
    assert!(others.end().await <= 2);

    // Nothing is compiled on the thread of a request.
    let thread = control.compile(Purpose::Check, || thread::current().id()).await.unwrap();
    assert_ne!(thread, thread::current().id());
    assert_eq!(control.check_document(json!({})).await.unwrap().errors, []);
    let found = control.check_document(Value::Null).await.unwrap();
    assert_eq!(found.errors[0].member, "$");
}
