//! Tests the gauge of the revision: that of the document that took effect last, and never of one that was only tried.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;

use playlock_host::message::{Request, Response};
use playlock_host::node::Setup;
use playlock_host::wasm::{self, Flavour, Vm};

fn document(revision: &str) -> String {
    format!(r#"{{"policies": [], "assignments": [], "default": "pass"{revision}}}"#)
}

fn start(revision: &str) -> Vm {
    let setup = Setup { config: document(revision), env: BTreeMap::new(), now: 1_700_000_000, seed: 1 };
    Vm::start(wasm::module(Flavour::Relaxed).unwrap(), &setup).unwrap()
}

fn shown(vm: &Vm) -> u64 {
    vm.metric("playlock.revision").unwrap()
}

fn ask(vm: &mut Vm, root: u32) {
    let seen = vm.exchange_under(root, Request::new("GET", "/a"), Response::new(200, b"a"));
    assert_eq!(seen.status, Some(200));
}

/// Envoy tries each configuration in a VM that does not live to see a tick.
#[test]
fn it_is_set_with_the_first_tick_once() {
    let mut vm = start(r#", "revision": 17"#);
    assert_eq!((shown(&vm), vm.tick_period(1)), (0, 100));
    vm.tick(1).unwrap();
    assert_eq!((shown(&vm), vm.tick_period(1)), (17, 0));
    vm.take_calls();
    vm.tick(1).unwrap();
    ask(&mut vm, 1);
    assert_eq!(vm.take_calls().get("proxy_record_metric"), None);
}

#[test]
fn the_document_that_took_effect_last_wins() {
    let mut vm = start(r#", "revision": 9007199254740991"#);
    vm.tick(1).unwrap();
    assert_eq!(shown(&vm), 9_007_199_254_740_991);
    let second = vm.configure_another(&document(r#", "revision": 2"#)).unwrap();
    assert_eq!(shown(&vm), 9_007_199_254_740_991);
    vm.tick(second).unwrap();
    assert_eq!(shown(&vm), 2);
    // A late tick of the first, which may encrypt chunks of streams that are still running.
    vm.tick(1).unwrap();
    ask(&mut vm, 1);
    assert_eq!(shown(&vm), 2);
    let third = vm.configure_another(&document("")).unwrap();
    vm.tick(third).unwrap();
    assert_eq!(shown(&vm), 0);
}

#[test]
fn a_refused_document_changes_nothing() {
    let mut vm = start(r#", "revision": 17"#);
    vm.tick(1).unwrap();
    for bad in [r#", "revision": 18, "polices": []"#, r#", "revision": -1"#, r#", "revision": 9007199254740992"#] {
        for _ in 0..2 {
            assert_eq!(vm.configure_another(&document(bad)), None);
            assert_eq!(shown(&vm), 17);
            ask(&mut vm, 1);
            assert_eq!(shown(&vm), 17);
        }
    }
}
