//! Constant-time AES out of one vector instruction, the byte shuffle: M. Hamburg, "Accelerating AES with Vector
//! Permute Instructions", CHES 2009. The crate's documentation explains the arithmetic.

mod field;
mod kernel;
mod schedule;
mod tables;
mod vector;

use core::hint::black_box;

use kernel::Kernel;
pub(crate) use schedule::Schedule;
use tables::TABLES;
use vector::Vector;

use crate::cbc::Run;

/// Encrypts all runs side by side, up to the length of the shortest.
#[inline(never)]
pub(crate) fn encrypt<const N: usize>(runs: [Run<'_, Schedule>; N]) {
    let tables = black_box(&TABLES);
    let kernel = Kernel::load(tables);
    let length = runs.iter().map(|run| run.blocks.len()).min().unwrap_or(0);
    let schedules = runs.each_ref().map(|run| run.schedule);
    // Without the last round key, which the chained block's first key carries.
    let mut chains = runs
        .each_ref()
        .map(|run| kernel.to_tower(Vector::load(run.chain)).xor(Vector::load(&run.schedule.last_in_tower)));
    let mut messages = runs.map(|run| run.blocks.iter_mut());

    for _ in 0..length {
        let mut blocks = messages.each_mut().map(Iterator::next);
        let mut states = chains;
        for ((state, block), schedule) in states.iter_mut().zip(&blocks).zip(schedules) {
            let Some(block) = block else { return };
            let plaintext = kernel.to_tower(Vector::load(block));
            *state = state.xor(plaintext.xor(Vector::load(&schedule.first)));
        }
        for (round, turns) in tables.turns.iter().enumerate() {
            for (state, schedule) in states.iter_mut().zip(schedules) {
                let Some(key) = schedule.middle.get(round) else { return };
                *state = kernel.middle_round(*state, key, turns);
            }
        }
        for (((state, chain), block), schedule) in states.iter().zip(&mut chains).zip(&mut blocks).zip(schedules) {
            let Some(block) = block else { return };
            let ciphertext;
            (*chain, ciphertext) = kernel.last_round(*state, schedule);
            ciphertext.store(block);
        }
    }
}

#[cfg(test)]
mod tests;
