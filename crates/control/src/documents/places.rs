//! The places that policies may name: those of `GET /countries` and `GET /regions`.

/// Whether this is a country's code; not case-sensitive.
pub fn is_country(code: &str) -> bool {
    playlock_places::country(&code.to_ascii_uppercase()).is_some()
}

/// Whether a country has a region with this code; not case-sensitive.
pub fn is_region(country: &str, code: &str) -> bool {
    playlock_places::region(&country.to_ascii_uppercase(), &code.to_ascii_uppercase()).is_some()
}
