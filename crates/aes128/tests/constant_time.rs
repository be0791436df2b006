//! Checks on the compiled modules that no branch and no address depends on a secret.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod common;

use std::collections::BTreeMap;

use common::{Block, Random, Subject, Wasm, module};
use wasmparser::{Operator, Parser, Payload};

/// Keys and plaintexts enter a kernel by vector loads only. If no instruction of it turns a vector into a number,
/// there is no number that a branch could test or a load could add to its address.
fn no_vector_becomes_a_number(name: &str, lanes: usize) {
    let module = module(name);
    let mut kernels = 0;
    for payload in Parser::new(0).parse_all(&module) {
        let Payload::CodeSectionEntry(body) = payload.unwrap() else { continue };
        let mut operators: BTreeMap<String, usize> = BTreeMap::new();
        for operator in body.get_operators_reader().unwrap() {
            *operators.entry(mnemonic(&operator.unwrap())).or_default() += 1;
        }
        let count = |mnemonic: &str| operators.get(mnemonic).copied().unwrap_or(0);
        // A middle round has twelve lookups, a lane of a kernel's loop at least one such round.
        if count("I8x16Swizzle") + count("I8x16RelaxedSwizzle") < 12 {
            continue;
        }
        kernels += 1;
        for operator in operators.keys() {
            let to_number = ["ExtractLane", "Bitmask", "AnyTrue", "AllTrue"].iter().any(|kind| operator.contains(kind));
            let lane_store = operator.starts_with("V128Store") && operator != "V128Store";
            assert!(!to_number && !lane_store, "{operator} in a kernel of {name}");
        }
    }
    // The key schedule, the loops of one to so many lanes, and two more of all lanes: of a queue, and of blocks apart.
    assert_eq!(kernels, 3 + lanes, "kernels in {name}");
}

fn mnemonic(operator: &Operator<'_>) -> String {
    format!("{operator:?}").split([' ', '{']).next().unwrap().to_owned()
}

#[test]
fn no_vector_becomes_a_number_in_wasm() {
    no_vector_becomes_a_number("aes128.wasm", 4);
}

#[test]
fn no_vector_becomes_a_number_in_wasm_strict() {
    no_vector_becomes_a_number("aes128-strict.wasm", 2);
}

/// The number of instructions does not depend on the key, the IV and the blocks.
fn fuel_is_the_same(mut wasm: Wasm) {
    let mut random = Random(4);
    let mut keys: Vec<(Block, Block)> = vec![([0; 16], [0; 16]), ([0xFF; 16], [0xFF; 16])];
    keys.extend((0..50).map(|_| (random.block(), random.block())));
    let mut fuel_of = |(key, fill): &(Block, Block)| {
        let mut blocks = vec![*fill; 64];
        wasm.fuel_of(|wasm| {
            wasm.start(0, key, fill);
            wasm.encrypt(0, &mut blocks);
            wasm.encrypt_messages(9, &mut [blocks.clone(), blocks.clone(), blocks.clone()]);
            wasm.encrypt_messages(0, &mut [5, 64, 1, 30, 64, 7].map(|count| blocks[..count].to_vec()));
            wasm.encrypt_counter(100, &mut blocks);
        })
    };
    // The first message has no message before it to drop, and grows the buffer.
    fuel_of(&keys[0]);
    let fuel: Vec<_> = keys.iter().map(fuel_of).collect();
    // Twenty-six instructions and more a round, of which a block has ten.
    assert!(fuel[0] > 64 * 10 * 26, "{fuel:?}");
    assert!(fuel.iter().all(|&other| other == fuel[0]), "{fuel:?}");
}

#[test]
fn fuel_is_the_same_in_wasm() {
    fuel_is_the_same(Wasm::relaxed());
}

#[test]
fn fuel_is_the_same_in_wasm_strict() {
    fuel_is_the_same(Wasm::strict());
}
