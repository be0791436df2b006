//! Removes the filter's additions from the URIs of a playlist.

use crate::reading;

/// The names of the filter's parameters.
pub const OURS: [&str; 3] = ["hdnts", "hdntl", "plk"];

/// A URI without the filter's parameters, otherwise unchanged.
pub fn uri(uri: &str) -> String {
    let (main, fragment) = uri.split_at(uri.find('#').unwrap_or(uri.len()));
    let Some((path, query)) = main.split_once('?') else { return uri.to_owned() };
    let is_ours = |parameter: &&str| OURS.contains(&parameter.split('=').next().unwrap_or_default());
    if !query.split('&').any(|parameter| is_ours(&parameter)) {
        return uri.to_owned();
    }
    let kept: Vec<&str> = query.split('&').filter(|parameter| !is_ours(parameter)).collect();
    match kept.is_empty() {
        true => format!("{path}{fragment}"),
        false => format!("{path}?{}{fragment}", kept.join("&")),
    }
}

/// A text with `change` applied to every URI.
pub fn map_uris(text: &str, change: &dyn Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for reference in reading::read(text).references {
        out.push_str(text.get(copied..reference.span.start).unwrap_or_default());
        out.push_str(&change(&reference.uri));
        copied = reference.span.end;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ours_goes() {
        for (uri, plain) in [
            ("a.ts", "a.ts"),
            ("a.ts?hdntl=x~y=/*", "a.ts"),
            ("a.ts?&hdntl=x", "a.ts?"),
            ("a.ts?b=1&plk=media~1~M&hdntl=x#f?hdntl=z", "a.ts?b=1#f?hdntl=z"),
            ("a.ts?xhdntl=1&b", "a.ts?xhdntl=1&b"),
        ] {
            assert_eq!(super::uri(uri), plain);
        }
        let text = "#EXTM3U\n#EXT-X-MAP:URI=\"i?plk=clear~M&hdntl=x\",A=1\n# hdntl=x\n s.ts?hdntl=x \n";
        assert_eq!(map_uris(text, &uri), "#EXTM3U\n#EXT-X-MAP:URI=\"i\",A=1\n# hdntl=x\n s.ts \n");
    }
}
