//! POSIX extended regular expressions (IEEE Std 1003.1-2017 section 9.4) over ASCII, in bounded time.
//!
//! A pattern is compiled to a program that is run for all its threads at once, so a match takes at most as many steps as
//! the program has instructions for each byte of the subject. Patterns whose meaning the standard leaves undefined are
//! refused, except for escapes of punctuation, which RFC 9246 uses itself.

use alloc::vec::Vec;

/// Longest pattern in bytes. The whole token has at most [`crate::token::MAX_SENT`].
pub const MAX_PATTERN: usize = 1024;
/// Most instructions of a program.
const MAX_PROGRAM: usize = 1000;
/// Deepest nesting of groups.
const MAX_DEPTH: usize = 16;
/// Most repetitions that an interval may demand (`RE_DUP_MAX`, `_POSIX_RE_DUP_MAX`).
const MAX_REPEAT: usize = 255;
/// Most steps of a match: about a millisecond. A usual pattern takes a few for each byte of the URI.
const MAX_STEPS: usize = 250_000;

/// An instruction. Offsets are relative to the instruction, so a block of instructions can be moved and copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// One byte of this set of ASCII characters, as bits.
    Byte(u128),
    /// Continues at the next instruction and at this one.
    Split(isize),
    /// Continues at this instruction.
    Jump(isize),
    /// The start of the subject.
    Start,
    /// The end of the subject.
    End,
}

/// A compiled pattern.
#[derive(Debug)]
pub struct Regex {
    program: Vec<Step>,
}

impl Regex {
    /// Compiles a pattern; `None` if it is malformed, undefined by the standard, or beyond a limit.
    pub fn new(pattern: &str) -> Option<Self> {
        if pattern.len() > MAX_PATTERN || !pattern.is_ascii() {
            return None;
        }
        let mut compiler = Compiler { rest: pattern.as_bytes(), program: Vec::new() };
        compiler.alternatives(0)?;
        compiler.rest.is_empty().then_some(Self { program: compiler.program })
    }

    /// Whether the pattern matches the whole of `subject`; false if that takes too many steps.
    pub fn matches(&self, subject: &str) -> bool {
        let mut run = Run { program: &self.program, seen: alloc::vec![0; self.program.len() + 1], round: 0, steps: 0 };
        let (mut threads, mut next, length) = (Vec::new(), Vec::new(), subject.len());
        run.follow(0, 0 == length, true, &mut threads);
        for (at, byte) in subject.bytes().enumerate() {
            next.clear();
            run.round += 1;
            for thread in &threads {
                if matches!(self.program.get(*thread), Some(Step::Byte(set)) if set & bit(byte) != 0) {
                    run.follow(thread + 1, at + 1 == length, false, &mut next);
                }
            }
            core::mem::swap(&mut threads, &mut next);
            if threads.is_empty() || run.steps > MAX_STEPS {
                return false;
            }
        }
        threads.contains(&self.program.len())
    }
}

/// One match. A thread is a position in the program; behind its end, it has matched.
struct Run<'a> {
    program: &'a [Step],
    /// The round in which a position was last reached, plus one.
    seen: Vec<usize>,
    round: usize,
    steps: usize,
}

impl Run<'_> {
    /// Adds the threads that continue at `from` without reading a byte.
    fn follow(&mut self, from: usize, at_end: bool, at_start: bool, threads: &mut Vec<usize>) {
        let mut open = alloc::vec![from];
        while let Some(at) = open.pop() {
            let stamp = self.round + 1;
            match self.seen.get_mut(at) {
                Some(seen) if *seen != stamp => *seen = stamp,
                _ => continue,
            }
            self.steps += 1;
            match self.program.get(at) {
                Some(Step::Jump(offset)) => open.extend(at.checked_add_signed(*offset)),
                Some(Step::Split(offset)) => {
                    open.push(at + 1);
                    open.extend(at.checked_add_signed(*offset));
                }
                Some(Step::Start) if at_start => open.push(at + 1),
                Some(Step::End) if at_end => open.push(at + 1),
                Some(Step::Start | Step::End) => {}
                Some(Step::Byte(_)) | None => threads.push(at),
            }
        }
    }
}

struct Compiler<'a> {
    rest: &'a [u8],
    program: Vec<Step>,
}

impl Compiler<'_> {
    fn next(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    fn takes(&mut self, expected: u8) -> bool {
        let found = self.rest.first() == Some(&expected);
        if found {
            self.next();
        }
        found
    }

    fn push(&mut self, step: Step) -> Option<()> {
        self.insert(self.program.len(), step)
    }

    fn insert(&mut self, at: usize, step: Step) -> Option<()> {
        if self.program.len() >= MAX_PROGRAM {
            return None;
        }
        self.program.insert(at, step);
        Some(())
    }

    /// The length of the block that begins at `start`, as an offset.
    fn length(&self, start: usize) -> Option<isize> {
        isize::try_from(self.program.len().checked_sub(start)?).ok()
    }

    fn alternatives(&mut self, depth: usize) -> Option<()> {
        let mut ends = Vec::new();
        loop {
            let start = self.program.len();
            self.branch(depth)?;
            if !self.takes(b'|') {
                break;
            }
            self.insert(start, Step::Split(self.length(start)? + 2))?;
            ends.push(self.program.len());
            self.push(Step::Jump(0))?;
        }
        for at in ends {
            let offset = self.length(at)?;
            *self.program.get_mut(at)? = Step::Jump(offset);
        }
        Some(())
    }

    fn branch(&mut self, depth: usize) -> Option<()> {
        let mut any = false;
        while !matches!(self.rest.first(), None | Some(b'|' | b')')) {
            self.piece(depth)?;
            any = true;
        }
        any.then_some(())
    }

    fn piece(&mut self, depth: usize) -> Option<()> {
        let start = self.program.len();
        match self.next()? {
            b'(' if depth < MAX_DEPTH => {
                self.alternatives(depth + 1)?;
                self.takes(b')').then_some(())?;
            }
            b'(' | b'*' | b'+' | b'?' | b'{' => return None,
            anchor @ (b'^' | b'$') => {
                self.push(if anchor == b'^' { Step::Start } else { Step::End })?;
                return (!self.repeats()).then_some(());
            }
            b'[' => {
                let set = self.bracket()?;
                self.push(Step::Byte(set))?;
            }
            b'.' => self.push(Step::Byte(u128::MAX))?,
            b'\\' => {
                let escaped = self.next().filter(u8::is_ascii_punctuation)?;
                self.push(Step::Byte(bit(escaped)))?;
            }
            literal => self.push(Step::Byte(bit(literal)))?,
        }
        if !self.repeats() {
            return Some(());
        }
        let (least, most) = match self.next()? {
            b'*' => (0, None),
            b'+' => (1, None),
            b'?' => (0, Some(1)),
            _ => self.interval()?,
        };
        self.repeat(start, least, most)?;
        (!self.repeats()).then_some(())
    }

    fn repeats(&self) -> bool {
        matches!(self.rest.first(), Some(b'*' | b'+' | b'?' | b'{'))
    }

    /// `m}`, `m,}` or `m,n}`.
    fn interval(&mut self) -> Option<(usize, Option<usize>)> {
        let least = self.number()?;
        let most = match self.takes(b',') {
            false => Some(least),
            true if self.rest.first() == Some(&b'}') => None,
            true => Some(self.number()?),
        };
        (self.takes(b'}') && most.is_none_or(|most| least <= most)).then_some((least, most))
    }

    fn number(&mut self) -> Option<usize> {
        let mut number: Option<usize> = None;
        while let Some(digit) = self.rest.first().and_then(|byte| char::from(*byte).to_digit(10)) {
            self.next();
            let digit = usize::try_from(digit).ok()?;
            number = Some(number.unwrap_or(0) * 10 + digit).filter(|number| *number <= MAX_REPEAT);
            number?;
        }
        number
    }

    /// Repeats the block that begins at `start`.
    fn repeat(&mut self, start: usize, least: usize, most: Option<usize>) -> Option<()> {
        let block = self.program.split_off(start);
        let length = isize::try_from(block.len()).ok()?;
        for _ in 0..least {
            self.copy(&block)?;
        }
        match most {
            None if least > 0 => self.push(Step::Split(-length)),
            None => {
                self.push(Step::Split(length + 2))?;
                self.copy(&block)?;
                self.push(Step::Jump(-length - 1))
            }
            Some(most) => {
                for left in (1..=most - least).rev() {
                    let skip = (length + 1).checked_mul(isize::try_from(left).ok()?)?;
                    self.push(Step::Split(skip))?;
                    self.copy(&block)?;
                }
                Some(())
            }
        }
    }

    fn copy(&mut self, block: &[Step]) -> Option<()> {
        if self.program.len() + block.len() > MAX_PROGRAM {
            return None;
        }
        self.program.extend_from_slice(block);
        Some(())
    }

    /// A bracket expression, behind its `[`. A backslash is an ordinary character in it.
    fn bracket(&mut self) -> Option<u128> {
        let negated = self.takes(b'^');
        let (mut set, mut first) = (0, true);
        loop {
            match self.next()? {
                b']' if !first => break,
                b'[' if matches!(self.rest.first(), Some(b':' | b'.' | b'=')) => set |= self.class()?,
                low => match *self.rest {
                    [b'-', b'[', b':' | b'.' | b'=', ..] => return None,
                    [b'-', high, ref rest @ ..] if high != b']' => {
                        self.rest = rest;
                        (low <= high).then_some(())?;
                        set |= (low..=high).fold(0, |set, byte| set | bit(byte));
                    }
                    _ => set |= bit(low),
                },
            }
            first = false;
        }
        Some(if negated { !set } else { set })
    }

    /// A character class (`:alpha:]`), behind its `[`.
    fn class(&mut self) -> Option<u128> {
        let end = self.rest.windows(2).position(|pair| pair == b":]")?;
        let (name, rest) = (self.rest.get(1..end)?, self.rest.get(end + 2..)?);
        let has: fn(&u8) -> bool = match name {
            b"alnum" => u8::is_ascii_alphanumeric,
            b"alpha" => u8::is_ascii_alphabetic,
            b"blank" => |byte| matches!(byte, b' ' | b'\t'),
            b"cntrl" => u8::is_ascii_control,
            b"digit" => u8::is_ascii_digit,
            b"graph" => u8::is_ascii_graphic,
            b"lower" => u8::is_ascii_lowercase,
            b"print" => |byte| matches!(byte, b' '..=b'~'),
            b"punct" => u8::is_ascii_punctuation,
            b"space" => |byte| matches!(byte, b' ' | 9..=13),
            b"upper" => u8::is_ascii_uppercase,
            b"xdigit" => u8::is_ascii_hexdigit,
            _ => return None,
        };
        // `[.` and `[=` name collating elements, which the POSIX locale does not need.
        (self.rest.first() == Some(&b':')).then_some(())?;
        self.rest = rest;
        Some((0..128).filter(has).fold(0, |set, byte| set | bit(byte)))
    }
}

/// The set of one ASCII character; empty for other bytes.
fn bit(byte: u8) -> u128 {
    1_u128.checked_shl(byte.into()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
