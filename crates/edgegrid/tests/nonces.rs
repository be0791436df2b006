//! The window of timestamps, and the memory of nonces.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use playlock_edgegrid::{NonceKey, NonceMemory, Refusal, Window, new_nonce};

const NOW: i64 = 1_395_430_461;

fn memory(limit: usize) -> NonceMemory {
    NonceMemory::new(Window::default(), limit)
}

#[test]
fn timestamps_within_30_seconds_either_way_are_accepted() {
    let window = Window::default();
    for difference in [-30, -1, 0, 1, 30] {
        assert_eq!(window.check(NOW, NOW + difference), Ok(()));
    }
    for seconds in [-31, 31, -3600, i64::MIN, i64::MAX - NOW] {
        let refusal = window.check(NOW, NOW.saturating_add(seconds)).unwrap_err();
        assert!(matches!(refusal, Refusal::Skew { window: 30, .. }));
    }
    assert!(window.check(i64::MIN, i64::MAX).is_err());
    assert!(window.check(i64::MAX, i64::MIN).is_err());
    let behind = window.check(NOW, NOW - 95).unwrap_err().to_string();
    assert_eq!(behind, "timestamp: 95 s behind the server's clock; expected at most 30 s");
    let ahead = window.check(NOW, NOW + 31).unwrap_err().to_string();
    assert_eq!(ahead, "timestamp: 31 s ahead of the server's clock; expected at most 30 s");
}

#[test]
fn a_window_has_1_to_3600_seconds() {
    assert_eq!(Window::default().seconds(), 30);
    assert_eq!(Window::new(3600).unwrap().seconds(), 3600);
    assert_eq!(Window::new(0).unwrap_err().to_string(), "window: 0 seconds; expected 1 to 3600");
    assert!(Window::new(3601).is_err());
}

/// At any second at which the timestamp is in the window, however it was signed and whenever it came first.
#[test]
fn a_nonce_is_accepted_once_while_its_timestamp_is() {
    for first in -30..=30 {
        for second in first..=30 {
            let mut memory = memory(10);
            assert_eq!(memory.check_and_remember(NOW + first, NOW, "client", "nonce"), Ok(()));
            let again = memory.check_and_remember(NOW + second, NOW, "client", "nonce");
            assert_eq!(again, Err(Refusal::Replayed), "{first} {second}");
        }
    }
}

#[test]
fn a_nonce_signed_anew_is_refused() {
    let mut memory = memory(10);
    assert_eq!(memory.check_and_remember(NOW, NOW, "client", "nonce"), Ok(()));
    assert_eq!(memory.check_and_remember(NOW + 10, NOW + 10, "client", "nonce"), Err(Refusal::Replayed));
    assert_eq!(memory.check_and_remember(NOW, NOW, "client", "other"), Ok(()));
    assert_eq!(memory.check_and_remember(NOW, NOW, "another", "nonce"), Ok(()));
}

/// Others' requests make the memory forget; then the clock is set back.
#[test]
fn a_clock_that_is_set_back_by_a_window_reopens_nothing() {
    for step in 0..=30 {
        let mut memory = memory(100);
        assert_eq!(memory.check_and_remember(NOW, NOW, "client", "nonce"), Ok(()));
        let late = NOW + 30 + step;
        assert_eq!(memory.check_and_remember(late, late, "another", "nonce"), Ok(()));
        assert_eq!(memory.check_and_remember(late - step, NOW, "client", "nonce"), Err(Refusal::Replayed), "{step}");
    }
}

#[test]
fn a_full_memory_refuses_until_it_may_forget() {
    let mut memory = memory(3);
    for count in 0..3 {
        assert_eq!(memory.check_and_remember(NOW, NOW + count, "client", &count.to_string()), Ok(()));
    }
    assert_eq!(memory.check_and_remember(NOW, NOW, "client", "new"), Err(Refusal::Full { entries: 3 }));
    // What it has seen is still refused as that.
    assert_eq!(memory.check_and_remember(NOW, NOW, "client", "1"), Err(Refusal::Replayed));
    let later = NOW + 60;
    assert_eq!(memory.check_and_remember(later, later, "client", "new"), Err(Refusal::Full { entries: 3 }));
    assert_eq!(memory.check_and_remember(later + 1, later, "client", "new"), Ok(()));
    assert_eq!(memory.entries(), 3);
}

#[test]
fn a_refused_request_is_not_remembered() {
    let mut memory = memory(3);
    assert!(memory.check_and_remember(NOW, NOW - 31, "client", "nonce").is_err());
    assert_eq!(memory.entries(), 0);
}

#[test]
fn a_key_keeps_client_and_nonce_apart() {
    assert_ne!(NonceKey::new("ab", "c"), NonceKey::new("a", "bc"));
    // By Python: hashlib.sha256((2).to_bytes(8) + b"abc")
    let bytes = NonceKey::new("ab", "c").bytes().map(|byte| format!("{byte:02x}")).concat();
    assert_eq!(bytes, "290a3daa9b49526a2ed7352cd7f5e69c551a01e15de61fc04c43f780d7172b71");
}

#[test]
fn a_new_nonce_is_a_uuid() {
    // By Python: uuid.UUID(bytes=bytes(range(0, 256, 17)), version=4)
    let random: [u8; 16] = std::array::from_fn(|at| u8::try_from(at * 17).unwrap());
    assert_eq!(new_nonce(random), "00112233-4455-4677-8899-aabbccddeeff");
    assert_eq!(new_nonce([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
}
