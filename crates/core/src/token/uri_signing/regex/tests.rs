//! Patterns with what they match, those that are refused, and their limits.

use alloc::string::String;

use super::*;

#[test]
fn patterns_match_the_whole_subject() {
    for (pattern, subject, expected) in [
        ("abc", "abc", true),
        ("abc", "abcd", false),
        ("abc", "xabc", false),
        ("abc", "", false),
        ("a*", "", true),
        ("a*", "aaa", true),
        ("a*", "aab", false),
        ("a+b?", "a", true),
        ("a+b?", "aab", true),
        ("a+b?", "b", false),
        ("a|bc|d", "bc", true),
        ("a|bc|d", "d", true),
        ("a|bc|d", "ad", false),
        ("a|bc|d", "bcd", false),
        ("(a|b)*c", "abbac", true),
        ("(a|b)*c", "abxc", false),
        ("(ab){2}", "abab", true),
        ("(ab){2}", "ab", false),
        ("(ab){2}", "ababab", false),
        ("a{0}b", "b", true),
        ("a{2,}", "a", false),
        ("a{2,}", "aaaaa", true),
        ("a{0,}", "", true),
        ("a{1,3}", "", false),
        ("a{1,3}", "aaa", true),
        ("a{1,3}", "aaaa", false),
        ("(a|bb){1,2}c", "bbac", true),
        ("(a*)*b", "aaab", true),
        ("(a*)+", "", true),
        ("((a{0,2}){0,2}){0,2}", "aaaaaaaa", true),
        ("((a{0,2}){0,2}){0,2}", "aaaaaaaaa", false),
        (".", "/", true),
        (".{3}", "a~b", true),
        ("^abc$", "abc", true),
        ("a^bc", "abc", false),
        ("ab$c", "abc", false),
        ("(^a|^b)c", "bc", true),
        ("[abc]+", "cab", true),
        ("[^/]*", "a.b:c", true),
        ("[^/]*", "a/b", false),
        ("[]a]", "]", true),
        ("[^]a]", "]", false),
        ("[a-c-]+", "b-", true),
        ("[%--]", "&", true),
        (r"[\.]", r"\", true),
        (r"[\]]", r"\]", true),
        (r"[\]]", "]", false),
        ("[[:digit:]]{3}", "042", true),
        ("[[:alpha:]_]+", "ab_", true),
        ("[^[:digit:]]", "5", false),
        (r"\.\*\\", r".*\", true),
        ("a}", "a}", true),
        ("a]", "a]", true),
        ("a-b,c", "a-b,c", true),
        // RFC 9246 section 2.1.15.2.
        (
            r"[^:]*\://[^/]*/folder/content/quality_[^/]*/segment.{3}\.mp4(\?.*)?",
            "https://cdn.example/folder/content/quality_9/segment042.mp4?a=1",
            true,
        ),
        (
            r"[^:]*\://[^/]*/folder/content/quality_[^/]*/segment.{3}\.mp4(\?.*)?",
            "https://cdn.example/folder/content/quality_9/x/segment042.mp4",
            false,
        ),
    ] {
        let regex = Regex::new(pattern).unwrap_or_else(|| panic!("{pattern}"));
        assert_eq!(regex.matches(subject), expected, "{pattern} on {subject}");
    }
}

#[test]
fn undefined_and_oversized_patterns_are_refused() {
    let deep = |depth: usize| "(".repeat(depth) + "a" + &")".repeat(depth);
    for pattern in [
        "",
        "|",
        "a|",
        "|a",
        "a||b",
        "()",
        "(",
        ")",
        "a)",
        "(a",
        "*",
        "+a",
        "?",
        "(*a)",
        "a|*b",
        "a**",
        "a+?",
        "a{2}*",
        "^*",
        "$+",
        "{1}",
        "a{",
        "a{}",
        "a{,2}",
        "a{2,1}",
        "a{256}",
        "a{1",
        "a{1,",
        "a{x}",
        "a{1}{2}",
        "[",
        "[]",
        "[^]",
        "[b-a]",
        "[[:no:]]",
        "[[:alpha:",
        "[[.a.]]",
        "[[=a=]]",
        "[a-[:digit:]]",
        r"\",
        r"\d",
        r"\1",
        r"a\w",
        "é",
        "(?:a)",
        "a{200}{5}",
        "(a{100}){100}",
    ] {
        assert!(Regex::new(pattern).is_none(), "{pattern}");
    }
    assert!(Regex::new(&deep(MAX_DEPTH)).is_some() && Regex::new(&deep(MAX_DEPTH + 1)).is_none());
    assert!(Regex::new(&"a".repeat(MAX_PROGRAM)).is_some());
    assert!(Regex::new(&"a".repeat(MAX_PATTERN)).is_none(), "the program is too long");
    assert!(Regex::new(&"a|".repeat(MAX_PATTERN)).is_none());
}

#[test]
fn hostile_patterns_end() {
    let subject: String = "a".repeat(4096);
    for pattern in ["(a*)*b", "(a|a)*b", "(((a*)*)*)*b", "(a?){255}(a?){200}b", "(.*.*.*.*.*){20}b"] {
        assert!(!Regex::new(pattern).unwrap().matches(&subject), "{pattern}");
    }
    let slow = Regex::new("((a|b|c|d|e|f|g)*){40}").unwrap();
    assert!(slow.matches(&"a".repeat(100)) && !slow.matches(&subject), "more steps than allowed");
}
