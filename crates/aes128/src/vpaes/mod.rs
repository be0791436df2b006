//! Constant-time AES out of one vector instruction, the byte shuffle: M. Hamburg, "Accelerating AES with Vector
//! Permute Instructions", CHES 2009. The crate's documentation explains the arithmetic.

mod field;
mod kernel;
mod schedule;
mod tables;
mod vector;

use core::hint::black_box;
use core::mem::take;

use kernel::Kernel;
pub(crate) use schedule::Schedule;
use tables::TABLES;
use vector::Vector;

use crate::BLOCK;
use crate::cbc::Run;
use crate::message::Message;

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

/// Encrypts messages side by side until there are fewer than lanes: a lane takes the next one when its own ends, and the
/// others go on without being set up anew. What is left is in `lanes`.
#[inline(never)]
pub(crate) fn encrypt_queue<'a, const N: usize>(
    schedule: &Schedule,
    lanes: &mut [Message<'a>; N],
    next: &mut dyn FnMut() -> Option<Message<'a>>,
) {
    let tables = black_box(&TABLES);
    let kernel = Kernel::load(tables);
    // As in `encrypt`, but for one schedule.
    let begin = |chain: &[u8; BLOCK]| kernel.to_tower(Vector::load(chain)).xor(Vector::load(&schedule.last_in_tower));
    // A schedule for each lane: keys that the compiler knows to be the same would take registers from the tables.
    let schedules = [schedule; N].map(black_box);
    let mut chains = lanes.each_ref().map(|lane| begin(&lane.chain));
    loop {
        for (lane, chain) in lanes.iter_mut().zip(&mut chains) {
            if lane.blocks.is_empty() {
                let Some(message) = next() else { return };
                *lane = message;
                *chain = begin(&lane.chain);
            }
        }
        let length = lanes.iter().map(|lane| lane.blocks.len()).min().unwrap_or(0);
        let mut runs = lanes.each_mut().map(|lane| {
            let (now, later) = take(&mut lane.blocks).split_at_mut(length);
            lane.blocks = later;
            (&mut lane.chain, now)
        });
        let mut messages = runs.each_mut().map(|(_, now)| now.iter_mut());
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
        for (chain, now) in runs {
            *chain = now.last().copied().unwrap_or(*chain);
        }
    }
}

/// Encrypts each block by itself, as many side by side as lanes. Blocks that do not fill the lanes at the end are left.
#[inline(never)]
pub(crate) fn encrypt_apart<const N: usize>(schedule: &Schedule, blocks: &mut [[u8; BLOCK]]) {
    let tables = black_box(&TABLES);
    let kernel = Kernel::load(tables);
    // After a chaining value of zeros.
    let first = kernel.to_tower(Vector::load(&[0; BLOCK])).xor(Vector::load(&schedule.last_in_tower));
    let first = first.xor(Vector::load(&schedule.first));
    for blocks in blocks.as_chunks_mut::<N>().0 {
        let mut states = blocks.each_ref().map(|block| kernel.to_tower(Vector::load(block)).xor(first));
        for (key, turns) in schedule.middle.iter().zip(&tables.turns) {
            for state in &mut states {
                *state = kernel.middle_round(*state, key, turns);
            }
        }
        for (state, block) in states.iter().zip(blocks) {
            kernel.last_round(*state, schedule).1.store(block);
        }
    }
}

#[cfg(test)]
mod tests;
