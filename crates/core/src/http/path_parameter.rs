//! Access tokens as path parameters (`/film/master.m3u8;NAME=TOKEN`; RFC 6570 section 3.2.7, RFC 9246 section 2). They are
//! cut out before anything else reads the path.

use alloc::string::String;

use super::reply::Reason;
use super::target::is_named;

/// A request target without its path parameter.
#[derive(Debug, PartialEq, Eq)]
pub struct Cut<'a> {
    /// The target without the parameter.
    pub target: String,
    /// The parameter; [`Reason::Duplicate`] if there were several, all of which are cut out.
    pub parameter: Result<PathParameter<'a>, Reason>,
}

/// A path parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathParameter<'a> {
    /// Its name, as in the configuration.
    pub name: &'a str,
    /// Its value as sent.
    pub value: &'a str,
}

/// Cuts the path parameters with these names out of a target; `None` if there are none.
///
/// A parameter ends at the next `;` or `/`. With it goes the `;` behind it if there is one, else the one before it, as RFC 9246
/// section 2.1.15 demands; for the rest of the path it makes no difference.
pub fn cut<'a>(target: Option<&'a [u8]>, names: &'a [String]) -> Option<Cut<'a>> {
    // Costs other requests a look at the configuration.
    if names.is_empty() {
        return None;
    }
    let target = core::str::from_utf8(target?).ok()?;
    let (path, query) = target.split_at_checked(target.find('?').unwrap_or(target.len()))?;
    if !path.contains(';') || !parameters(path).any(|parameter| find(parameter, names).is_some()) {
        return None;
    }
    let mut kept = String::with_capacity(target.len());
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            kept.push('/');
        }
        let mut pieces = segment.split(';');
        kept.push_str(pieces.next().unwrap_or_default());
        for parameter in pieces.filter(|parameter| find(parameter, names).is_none()) {
            kept.push(';');
            kept.push_str(parameter);
        }
    }
    kept.push_str(query);
    let mut found = parameters(path).filter_map(|parameter| find(parameter, names));
    let parameter = match (found.next(), found.next()) {
        (Some(parameter), None) => Ok(parameter),
        _ => Err(Reason::Duplicate),
    };
    Some(Cut { target: kept, parameter })
}

/// All path parameters.
fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').flat_map(|segment| segment.split(';').skip(1))
}

fn find<'a>(parameter: &'a str, names: &'a [String]) -> Option<PathParameter<'a>> {
    let (name, value) = parameter.split_once('=')?;
    let name = names.iter().find(|known| is_named(name, known))?;
    Some(PathParameter { name, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_cut_out() {
        let names = ["k".into(), "token".into()];
        for (target, expected, value) in [
            ("/a/b.m3u8;k=JWS", "/a/b.m3u8", "JWS"),
            ("/a/b.m3u8;k=JWS?x=1;k=2", "/a/b.m3u8?x=1;k=2", "JWS"),
            ("/a;k=JWS/b.m3u8", "/a/b.m3u8", "JWS"),
            ("/a;x=1;k=JWS;y/b", "/a;x=1;y/b", "JWS"),
            ("/a;k=JWS;x=1", "/a;x=1", "JWS"),
            ("/a;%6b=JWS", "/a", "JWS"),
            ("/a;token=J%57S", "/a", "J%57S"),
            ("/a;k=", "/a", ""),
            ("/;k=JWS", "/", "JWS"),
            ("/a/;k=JWS/b", "/a//b", "JWS"),
            ("/..;k=JWS/b", "/../b", "JWS"),
            (";k=JWS", "", "JWS"),
        ] {
            let cut = cut(Some(target.as_bytes()), &names).unwrap_or_else(|| panic!("{target}"));
            assert_eq!((&*cut.target, cut.parameter.map(|it| it.value)), (expected, Ok(value)), "{target}");
        }
        for target in ["/a", "/a;x=1", "/a;kk=1", "/a;k", "/a?;k=JWS", "/k=JWS", "/a,k=JWS", ""] {
            assert_eq!(cut(Some(target.as_bytes()), &names), None, "{target}");
        }
        for target in ["/a;k=1;k=1", "/a;k=1/b;k=2", "/a;k=1;token=1", "/a;k=1;%6b=2"] {
            let cut = cut(Some(target.as_bytes()), &names).unwrap();
            assert_eq!(cut.parameter, Err(Reason::Duplicate), "{target}");
            assert!(!cut.target.contains('='), "{target}");
        }
        assert_eq!(cut(Some(b"/a;k=\xff"), &names), None);
        assert_eq!((cut(None, &names), cut(Some(b"/a;k=JWS"), &[])), (None, None));
    }
}
