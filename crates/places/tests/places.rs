//! Facts about countries and regions, and the examples of the Media Security Policy API.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;

use playlock_places::{Country, Region, countries, country, region, regions};

/// Codes of a country's regions, separated by spaces.
fn codes(country: &str) -> String {
    let codes: Vec<_> = regions().filter(|it| it.country == country).map(|it| it.code).collect();
    codes.join(" ")
}

#[test]
fn the_examples_of_countries_are_contained() {
    let examples = [
        ("AD", "Andorra", "EU"),
        ("AE", "United Arab Emirates", "AS"),
        ("AF", "Afghanistan", "AS"),
        ("AG", "Antigua and Barbuda", "NA"),
        ("AI", "Anguilla", "NA"),
        ("ZW", "Zimbabwe", "AF"),
    ];
    for (code, name, continent) in examples {
        assert_eq!(country(code), Some(Country { code, name, continent }));
    }
    // The first five, and the last.
    let found = countries().collect::<Vec<_>>();
    assert_eq!(found.iter().take(5).map(|it| it.code).collect::<Vec<_>>(), ["AD", "AE", "AF", "AG", "AI"]);
    assert_eq!(found.last().unwrap().code, "ZW");
}

#[test]
fn the_examples_of_regions_are_contained() {
    let examples = [
        ("AU", "ACT", "Australian Capital Territory"),
        ("AU", "NSW", "New South Wales"),
        ("AU", "NT", "Northern Territory"),
        ("AU", "QLD", "Queensland"),
        ("AU", "SA", "South Australia"),
        ("AU", "TAS", "Tasmania"),
        ("US", "WV", "West Virginia"),
        ("US", "WY", "Wyoming"),
    ];
    for (country, code, name) in examples {
        assert_eq!(region(country, code), Some(Region { country, code, name }));
    }
}

#[test]
fn there_are_the_249_countries_of_iso_3166_and_kosovo() {
    assert_eq!(countries().count(), 250);
    let continents: BTreeSet<_> = countries().map(|it| it.continent).collect();
    assert_eq!(continents.into_iter().collect::<Vec<_>>(), ["AF", "AN", "AS", "EU", "NA", "OC", "SA"]);
    for it in countries() {
        assert!(it.code.len() == 2 && it.code.bytes().all(|byte| byte.is_ascii_uppercase()), "{it:?}");
    }
    for code in ["AN", "CS", "DD", "EU", "SU", "UK", "YU", "ZR", "ZZ", "AA"] {
        assert_eq!(country(code), None, "not in ISO 3166-1: {code}");
    }
}

#[test]
fn countries_lie_on_their_continents() {
    let examples = [
        ("AQ", "AN"),
        ("AU", "OC"),
        ("BR", "SA"),
        ("CA", "NA"),
        ("DE", "EU"),
        ("EG", "AF"),
        ("GL", "NA"),
        ("IN", "AS"),
        ("JP", "AS"),
        ("MX", "NA"),
        ("NZ", "OC"),
        ("RE", "AF"),
        ("US", "NA"),
        ("ZA", "AF"),
    ];
    for (code, continent) in examples {
        assert_eq!(country(code).unwrap().continent, continent, "{code}");
    }
}

#[test]
fn each_region_has_its_country() {
    assert_eq!(regions().count(), 5046);
    for it in regions() {
        assert!(country(it.country).is_some(), "{it:?}");
        assert!((1..=3).contains(&it.code.len()), "{it:?}");
        assert!(it.code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()), "{it:?}");
        assert!(!it.name.is_empty() && it.name.trim() == it.name, "{it:?}");
        // Marks of the source, which are no part of the name.
        assert!(!it.name.contains(['²', '³', '†']), "{it:?}");
    }
}

#[test]
fn countries_have_their_regions() {
    assert_eq!(codes("AU"), "ACT NSW NT QLD SA TAS VIC WA");
    // 50 states, the District of Columbia, five territories and the minor outlying islands.
    assert_eq!(
        codes("US"),
        "AK AL AR AS AZ CA CO CT DC DE FL GA GU HI IA ID IL IN KS KY LA MA MD ME MI MN MO MP MS MT NC ND NE NH NJ NM NV \
         NY OH OK OR PA PR RI SC SD TN TX UM UT VA VI VT WA WI WV WY"
    );
    assert_eq!(codes("CA"), "AB BC MB NB NL NS NT NU ON PE QC SK YT");
    assert_eq!(codes("DE"), "BB BE BW BY HB HE HH MV NI NW RP SH SL SN ST TH");
    assert_eq!(codes("AT"), "1 2 3 4 5 6 7 8 9");
    assert_eq!(codes("MC").split(' ').count(), 17);
    assert_eq!(codes("VA"), "");
}

#[test]
fn regions_have_their_names() {
    let examples = [
        ("US", "DC", "Washington DC"),
        ("US", "PR", "Puerto Rico"),
        ("GB", "SCT", "Scotland"),
        ("DE", "BY", "Bavaria"),
        ("CH", "ZH", "Zürich"),
        ("FR", "IDF", "Île-de-France"),
        ("CN", "NM", "Inner Mongolia"),
        ("SH", "TA", "Tristan da Cunha"),
    ];
    for (country, code, name) in examples {
        assert_eq!(region(country, code).map(|it| it.name), Some(name), "{country}-{code}");
    }
}

#[test]
fn other_spellings_of_codes_are_not_found() {
    for code in ["", "au", "Au", "AU ", "A", "AUS", "AU\t", "AU\tOC", "\n", "#", "ä"] {
        assert_eq!(country(code), None, "{code:?}");
        assert_eq!(region(code, "ACT"), None, "{code:?}");
    }
    for code in ["", "act", "AC", "ACTA", "AU-ACT", "ACT\t", "ACT\tAustralian Capital Territory", "\n", "ä"] {
        assert_eq!(region("AU", code), None, "{code:?}");
    }
    assert_eq!(region("US", "ACT"), None);
    assert_eq!(region("AU\tACT", ""), None);
    assert_eq!(region("", "AU\tACT"), None);
}
