//! The table of expected results per class of forgery, and the count of actual results.

use std::collections::BTreeMap;

/// One line of the table; the first match applies.
pub struct Line {
    number: usize,
    class: &'static str,
    token: &'static str,
    place: &'static str,
    policy: &'static str,
    what: &'static str,
    least: usize,
    verdicts: Vec<&'static str>,
}

/// The properties of a forgery by which it is counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Case {
    pub class: String,
    pub token: String,
    pub place: String,
    pub policy: &'static str,
    pub what: &'static str,
}

/// The lines of a table, which `file` names in errors.
pub fn lines(file: &str, text: &'static str) -> Vec<Line> {
    let text = text.lines().enumerate();
    text.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(index, line)| {
            let columns: Vec<_> = line.split('\t').collect();
            let [class, token, place, policy, what, least, verdicts] = columns[..] else {
                panic!("{file}, line {}: {line}", index + 1)
            };
            let verdicts = verdicts.split(' ').collect();
            Line { number: index + 1, class, token, place, policy, what, least: least.parse().unwrap(), verdicts }
        })
        .collect()
}

fn fits(pattern: &str, text: &str) -> bool {
    pattern.split('|').any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => text == pattern,
    })
}

/// The counts of a run.
pub struct Tally {
    lines: Vec<Line>,
    /// Per line: each verdict's count.
    counts: Vec<BTreeMap<String, usize>>,
    /// Per class: each verdict's count.
    classes: BTreeMap<String, BTreeMap<String, usize>>,
    wrong: Vec<String>,
}

impl Tally {
    pub fn new(file: &str, text: &'static str) -> Self {
        let lines = lines(file, text);
        let counts = lines.iter().map(|_| BTreeMap::new()).collect();
        Self { lines, counts, classes: BTreeMap::new(), wrong: Vec::new() }
    }

    /// Counts one forgery and returns the expected results. `about` describes it in the error if its result is another.
    pub fn add(&mut self, case: &Case, verdict: &str, about: impl FnOnce() -> String) -> &[&'static str] {
        *self.classes.entry(case.class.clone()).or_default().entry(verdict.into()).or_default() += 1;
        let at = self.lines.iter().position(|line| {
            fits(line.class, &case.class)
                && fits(line.token, &case.token)
                && fits(line.place, &case.place)
                && fits(line.policy, case.policy)
                && fits(line.what, case.what)
        });
        let Some(at) = at else {
            self.wrong.push(format!("no line for {case:?}: {verdict}; {}", about()));
            return &[];
        };
        *self.counts[at].entry(verdict.into()).or_default() += 1;
        if !self.lines[at].verdicts.contains(&verdict) {
            self.wrong.push(format!("line {}: {case:?}: {verdict}; {}", self.lines[at].number, about()));
        }
        &self.lines[at].verdicts
    }

    /// The number of forgeries.
    pub fn total(&self) -> usize {
        self.counts.iter().flat_map(BTreeMap::values).sum()
    }

    /// Prints the counts by class.
    pub fn print(&self) {
        for (class, verdicts) in &self.classes {
            let of: usize = verdicts.values().sum();
            let verdicts: Vec<_> = verdicts.iter().map(|(verdict, count)| format!("{verdict} {count}")).collect();
            println!("{of:>7}  {class}: {}", verdicts.join(", "));
        }
        println!("{:>7}  in {} classes", self.total(), self.classes.len());
    }

    /// Panics if a result was not expected, a line matched too few forgeries, or an expected result did not occur.
    pub fn check(self) {
        let mut wrong = self.wrong;
        let more = wrong.len().saturating_sub(20);
        wrong.truncate(20);
        for (line, counts) in self.lines.iter().zip(&self.counts) {
            let of: usize = counts.values().sum();
            if of < line.least {
                wrong.push(format!("line {}: {of} forgeries, expected {} at least", line.number, line.least));
            }
            for verdict in line.verdicts.iter().filter(|verdict| !counts.contains_key(**verdict)) {
                wrong.push(format!("line {}: `{verdict}` never came", line.number));
            }
        }
        assert!(wrong.is_empty(), "{}\nand {more} more", wrong.join("\n"));
    }
}
