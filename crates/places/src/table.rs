//! Owns the table of countries and regions. Look-ups search its bytes, so nothing is built at the start.

use std::cmp::Ordering;

/// Notices, countries and regions, an empty line between each two. Lines are sorted by their bytes.
const PLACES: &str = include_str!("../data/places.tsv");

/// A country of ISO 3166-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166-1 alpha-2, such as `AU`.
    pub code: &'static str,
    /// Its English name, such as `Australia`.
    pub name: &'static str,
    /// Its continent: `AF`, `AN` (Antarctica), `AS`, `EU`, `NA` (with Central America), `OC` or `SA`.
    pub continent: &'static str,
}

/// A subdivision of a country of ISO 3166-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// ISO 3166-1 alpha-2 of the country, such as `AU`.
    pub country: &'static str,
    /// ISO 3166-2 without the country, such as `ACT`.
    pub code: &'static str,
    /// Its English name, such as `Australian Capital Territory`.
    pub name: &'static str,
}

/// All countries, sorted by code.
pub fn countries() -> impl Iterator<Item = Country> + Clone {
    sections().0.lines().filter_map(read_country)
}

/// All regions that are in force, sorted by country and code. Some contain others, as France's regions do départements, and
/// some are countries as well, such as Puerto Rico.
pub fn regions() -> impl Iterator<Item = Region> + Clone {
    sections().1.lines().filter_map(read_region)
}

/// The country with this code, in upper case. Takes some ten comparisons.
pub fn country(code: &str) -> Option<Country> {
    search(sections().0, |line| Some(read_country(line)?.code.cmp(code))).and_then(read_country)
}

/// The region with this code in this country, both in upper case. Takes some fifteen comparisons.
pub fn region(country: &str, code: &str) -> Option<Region> {
    let key = (country, code);
    let order = |line| read_region(line).map(|region| (region.country, region.code).cmp(&key));
    search(sections().1, order).and_then(read_region)
}

/// The lines of countries, and those of regions.
fn sections() -> (&'static str, &'static str) {
    const { split(PLACES) }
}

/// The text between the first two empty lines, and the text behind the second.
const fn split(text: &str) -> (&str, &str) {
    let (_, rest) = split_at_empty_line(text);
    split_at_empty_line(rest)
}

const fn split_at_empty_line(text: &str) -> (&str, &str) {
    let mut rest = text.as_bytes();
    while let [_, behind @ ..] = rest {
        if let [b'\n', b'\n', ..] = rest {
            // With its line end, without the empty line.
            let (first, second) = text.split_at(text.len() - behind.len());
            return (first, second.split_at(1).1);
        }
        rest = behind;
    }
    (text, "")
}

fn read_country(line: &'static str) -> Option<Country> {
    let (code, continent, name) = fields(line)?;
    Some(Country { code, name, continent })
}

fn read_region(line: &'static str) -> Option<Region> {
    let (country, code, name) = fields(line)?;
    Some(Region { country, code, name })
}

fn fields(line: &'static str) -> Option<(&'static str, &'static str, &'static str)> {
    let (first, rest) = line.split_once('\t')?;
    let (second, third) = rest.split_once('\t')?;
    Some((first, second, third))
}

/// The line of sorted lines that `order` finds equal to what is sought.
fn search(lines: &'static str, order: impl Fn(&'static str) -> Option<Ordering>) -> Option<&'static str> {
    let mut rest = lines;
    while !rest.is_empty() {
        let (before, line, behind) = middle(rest)?;
        match order(line)? {
            Ordering::Less => rest = behind,
            Ordering::Greater => rest = before,
            Ordering::Equal => return Some(line),
        }
    }
    None
}

/// The line that holds the middle byte, without its line end, and the lines before and behind it.
fn middle(lines: &'static str) -> Option<(&'static str, &'static str, &'static str)> {
    let half = lines.as_bytes().get(..lines.len() / 2)?;
    let start = half.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end.saturating_add(1));
    let (before, rest) = lines.split_at_checked(start)?;
    let (line, behind) = rest.split_once('\n')?;
    Some((before, line, behind))
}

#[cfg(test)]
mod tests {
    use super::{PLACES, country, middle, region, sections, split};

    #[test]
    fn the_table_is_notices_countries_and_regions() {
        assert_eq!(split("# a\n\nb\nc\n\nd\n"), ("b\nc\n", "d\n"));
        let (countries, regions) = sections();
        let notices = PLACES.strip_suffix(&format!("\n{countries}\n{regions}")).unwrap();
        assert!(notices.lines().all(|line| line.starts_with('#')));
        for licence in ["MIT (LICENSE-COUNTRIES-LIST)", "Unicode-3.0 (LICENSE-UNICODE)"] {
            assert!(notices.contains(licence));
        }
    }

    /// Otherwise the search would miss some. Sorted strictly, so each key is there once.
    #[test]
    fn lines_are_sorted_by_their_keys() {
        let countries: Vec<_> = super::countries().map(|it| it.code).collect();
        assert!(countries.is_sorted_by(|first, second| first < second));
        let regions: Vec<_> = super::regions().map(|it| (it.country, it.code)).collect();
        assert!(regions.is_sorted_by(|first, second| first < second));
        assert_eq!(countries.len(), sections().0.lines().count());
        assert_eq!(regions.len(), sections().1.lines().count());
    }

    #[test]
    fn each_line_is_found() {
        for it in super::countries() {
            assert_eq!(country(it.code), Some(it));
        }
        for it in super::regions() {
            assert_eq!(region(it.country, it.code), Some(it));
        }
    }

    #[test]
    fn halves_are_whole_lines() {
        assert_eq!(middle("a\nb\nc\n"), Some(("a\n", "b", "c\n")));
        assert_eq!(middle("ä\n"), Some(("", "ä", "")));
        assert_eq!(middle("a\nlong line\n"), Some(("a\n", "long line", "")));
    }
}
