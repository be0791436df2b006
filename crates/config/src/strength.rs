//! Detection of weak secrets: those that can be guessed, and those with two purposes. Warnings contain lengths, never
//! values.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

/// Fewest bytes of a password that cannot be guessed: 128 bits, as many as the Media Security Policy API takes.
const ENOUGH: usize = 16;

/// The purpose of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Signs access tokens; the site has it, too.
    Password,
    /// Source from which keys and session tokens are derived.
    Secret,
    /// A content key, which every viewer receives.
    Key,
    /// As [`Role::Secret`], for packagers: it may be one that viewers' keys were once derived from.
    Lasting,
    /// The token of a requester, which a packager has, too.
    Token,
}

/// The place where a secret was read.
#[derive(Debug, Clone)]
struct Place {
    path: String,
    policy: String,
    variable: Option<String>,
}

/// The places where a value was read first and last, for each role.
#[derive(Debug, Default)]
struct Uses([Option<(Place, Place)>; 5]);

/// The secrets of one document so far, by digest. Values are not kept, and comparing them reveals nothing by its
/// timing.
#[derive(Default)]
pub struct Strength(BTreeMap<[u8; 32], Uses>);

impl Strength {
    /// Returns warnings about the secret `bytes`. `path` is its JSON path, `policy` the name of its policy, and
    /// `variable` its environment variable, unless it is written in the document.
    pub fn judge(&mut self, role: Role, path: &str, policy: &str, variable: Option<&str>, bytes: &[u8]) -> Vec<String> {
        let here = Place { path: path.into(), policy: policy.into(), variable: variable.map(ToString::to_string) };
        let mut warnings = Vec::new();
        if role == Role::Password && bytes.len() < ENOUGH {
            let (length, s) = (bytes.len(), if bytes.len() == 1 { "" } else { "s" });
            warnings.push(format!(
                "{path}: {length} byte{s} in the policy \"{policy}\": anyone with one access token finds the password offline in at most 2^{} guesses, and then signs tokens; expected at least {ENOUGH} bytes (openssl rand -hex 32)",
                length.saturating_mul(8)
            ));
        }
        // HMAC pads its key with zero bytes (RFC 2104), so values that differ in these alone are the same key.
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
        let digest = Sha256::digest(bytes.get(..end).unwrap_or_default());
        let uses = self.0.entry(digest.into()).or_default();
        warnings.extend(uses.twice(role, &here));
        uses.add(role, here);
        warnings
    }
}

impl Uses {
    fn of(&self, role: Role) -> Option<&(Place, Place)> {
        self.0.get(role as usize)?.as_ref()
    }

    fn add(&mut self, role: Role, here: Place) {
        let Some(slot) = self.0.get_mut(role as usize) else { return };
        let first = slot.take().map_or_else(|| here.clone(), |(first, _)| first);
        *slot = Some((first, here));
    }

    /// The worst consequence of an earlier occurrence of the same value.
    fn twice(&self, role: Role, here: &Place) -> Option<String> {
        let same = |other: &Place, why: &str| {
            format!(
                "{}: in the policy \"{}\" this is the same as {}{}: {why}",
                here.path,
                here.policy,
                other.path,
                if other.policy == here.policy { String::new() } else { format!(" in \"{}\"", other.policy) },
            )
        };
        let is_source = |role| matches!(role, Role::Secret | Role::Lasting);
        let others = [Role::Key, Role::Password, Role::Token, Role::Secret, Role::Lasting].into_iter();
        let others = others.filter(|other| *other != role && !(is_source(*other) && is_source(role)));
        let other = others.filter_map(|other| Some((other, &self.of(other)?.0))).next();
        if let Some((other, place)) = other {
            let either = |one| role == one || other == one;
            let why = match (either(Role::Key), either(Role::Password)) {
                _ if either(Role::Token) => "whoever has the requester's token has the other, too",
                (true, true) => "every viewer gets the content key, and could sign access tokens with it",
                (true, false) => "every viewer gets the content key, and could derive every other key from it",
                (false, _) => {
                    "whoever signs access tokens could derive every content key, and a password that leaks opens all that was recorded"
                }
            };
            return Some(same(place, &format!("{why}; expected another value")));
        }
        let (first, last) = self.of(role)?;
        if last.policy == here.policy {
            return Some(same(last, "nothing is exchanged so; expected another value, or no transition"));
        }
        // One variable that several policies name is shared on purpose.
        if first.variable.is_some() && first.variable == here.variable {
            return None;
        }
        let why = match role {
            Role::Password => "whoever signs access tokens for one can sign them for the other",
            Role::Token => "whoever may ask for keys of one may ask for those of the other",
            Role::Secret | Role::Lasting => "whoever has one can derive every key of the other",
            Role::Key => "whoever may watch one has the key of the other",
        };
        Some(same(first, &format!("{why}; expected another value, or one variable named in both")))
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use serde_json::{Value, json};

    const LONG: &str = "52a152a152a152a152a152a152a152a1";
    const OTHER: &str = "c319f970fd89b9f8c3d48e25548c793d";
    const THIRD: &str = "6d0f4c1e7b8a93522f64d1c05e97ab38";

    /// The warnings for policies with these passwords and secrets, except those about values written in the document.
    /// The value of a variable is given by the first letter of its name: `L…`, `O…`, `T…`.
    fn warnings(policies: &[(Value, Value)]) -> Vec<String> {
        let policies = policies.iter().zip(["a", "b", "c"]).map(|((auth, media), name)| {
            let (mut auth, mut media) = (auth.clone(), media.clone());
            auth["enabled"] = json!(auth["password"] != json!(null));
            media["enabled"] = json!(true);
            json!({"policyName": name, "tokenAuth": auth, "mediaEncryption": media})
        });
        let document = json!({"policies": policies.collect::<Value>(), "assignments": []}).to_string();
        let env = |name: &str| {
            let value = match name.get(..1) {
                Some("L") => LONG,
                Some("O") => OTHER,
                _ => THIRD,
            };
            Some(value.into())
        };
        let (_, warnings) = crate::parse(document.as_bytes(), &env).unwrap();
        assert!(warnings.iter().all(|text| ![LONG, OTHER, THIRD, "c0ffee"].iter().any(|value| text.contains(value))));
        warnings.into_iter().filter(|text| !text.contains("the secret stands in the configuration")).collect()
    }

    #[test]
    fn passwords_that_can_be_guessed() {
        for (password, part) in [
            (
                "00",
                Some(
                    "1 byte in the policy \"a\": anyone with one access token finds the password offline in at most 2^8 ",
                ),
            ),
            (
                "c0ffee",
                Some(
                    "3 bytes in the policy \"a\": anyone with one access token finds the password offline in at most 2^24 ",
                ),
            ),
            ("c0ffeec0ffeec0ffeec0ffeec0ffee", Some("15 bytes in the policy \"a\"")),
            (LONG, None),
        ] {
            for member in ["password", "transitionPassword"] {
                let mut auth = json!({"password": OTHER});
                auth[member] = json!(password);
                let said = warnings(&[(auth, json!({"secret": THIRD}))]);
                assert_eq!(said.len(), usize::from(part.is_some()), "{said:?}");
                let expected = part.map(|part| alloc::format!("policies[0].tokenAuth.{member}: {part}"));
                assert!(said.iter().zip(&expected).all(|(said, expected)| said.starts_with(expected)), "{said:?}");
            }
        }
    }

    /// The path, the place of the same value, and the consequence that the warning names.
    #[test]
    fn values_that_are_used_twice() {
        let first = (json!({"password": LONG}), json!({"secret": OTHER}));
        let external = |key| json!({"secret": OTHER, "keyUrl": "https://k.example/k", "key": key});
        for (policies, path, as_this, why) in [
            // Password and secret, in hex and base64, of one policy and of two.
            (
                &[(json!({"password": LONG}), json!({"secret": LONG}))][..],
                "[0].mediaEncryption.secret",
                "[0].tokenAuth.password:",
                "whoever signs access tokens could derive every content key",
            ),
            (
                &[(json!({"password": LONG}), json!({"secret": "UqFSoVKhUqFSoVKhUqFSoQ=="}))],
                "[0].mediaEncryption.secret",
                "[0].tokenAuth.password:",
                "whoever signs",
            ),
            (
                &[(json!({"password": {"env": "L"}}), json!({"secret": {"env": "L"}}))],
                "[0].mediaEncryption.secret",
                "[0].tokenAuth.password:",
                "whoever signs",
            ),
            (
                &[(
                    json!({"password": LONG, "transitionPassword": THIRD}),
                    json!({"secret": OTHER, "transitionSecret": THIRD}),
                )],
                "[0].mediaEncryption.transitionSecret",
                "[0].tokenAuth.transitionPassword:",
                "whoever signs",
            ),
            (
                &[first.clone(), (json!({"password": OTHER}), json!({"secret": THIRD}))],
                "[1].tokenAuth.password",
                "[0].mediaEncryption.secret in \"a\":",
                "whoever signs",
            ),
            // The same twice in one policy.
            (
                &[(json!({"password": LONG, "transitionPassword": LONG}), json!({"secret": OTHER}))],
                "[0].tokenAuth.transitionPassword",
                "[0].tokenAuth.password:",
                "nothing is exchanged",
            ),
            (
                &[(json!({"password": {"env": "L"}, "transitionPassword": {"env": "L"}}), json!({"secret": OTHER}))],
                "[0].tokenAuth.transitionPassword",
                "[0].tokenAuth.password:",
                "nothing is exchanged",
            ),
            (
                &[(json!({"password": LONG}), json!({"secret": OTHER, "transitionSecret": OTHER}))],
                "[0].mediaEncryption.transitionSecret",
                "[0].mediaEncryption.secret:",
                "nothing is exchanged",
            ),
            // In two policies, unless one variable is named in both.
            (
                &[first.clone(), (json!({"password": LONG.to_uppercase()}), json!({"secret": THIRD}))],
                "[1].tokenAuth.password",
                "[0].tokenAuth.password in \"a\":",
                "can sign them for the other",
            ),
            (
                &[first.clone(), (json!({"password": THIRD}), json!({"secret": OTHER}))],
                "[1].mediaEncryption.secret",
                "[0].mediaEncryption.secret in \"a\":",
                "every key of the other",
            ),
            (
                &[
                    (json!({"password": LONG}), json!({"secret": {"env": "O1"}})),
                    (json!({"password": THIRD}), json!({"secret": {"env": "O2"}})),
                ],
                "[1].mediaEncryption.secret",
                "[0].mediaEncryption.secret in \"a\":",
                "every key of the other",
            ),
            // HMAC pads with zero bytes.
            (
                &[(
                    json!({"password": LONG, "transitionPassword": (LONG.to_owned() + "0000")}),
                    json!({"secret": OTHER}),
                )],
                "[0].tokenAuth.transitionPassword",
                "[0].tokenAuth.password:",
                "nothing is exchanged",
            ),
            // A content key is everyone's.
            (
                &[(json!({"password": LONG}), external(LONG))],
                "[0].mediaEncryption.key",
                "[0].tokenAuth.password:",
                "every viewer gets the content key, and could sign",
            ),
            (
                &[(json!({"password": LONG}), external(OTHER))],
                "[0].mediaEncryption.key",
                "[0].mediaEncryption.secret:",
                "every viewer gets the content key, and could derive",
            ),
        ] {
            let said = warnings(policies);
            assert_eq!(said.len(), 1, "{policies:?}: {said:?}");
            assert!(said[0].starts_with(&alloc::format!("policies{path}: in the policy \"")), "{said:?}");
            assert!(
                said[0].contains(&alloc::format!(" the same as policies{as_this}")) && said[0].contains(why),
                "{said:?}"
            );
        }
    }

    /// A key server's secret, its requester's token, and the place that the warning names.
    #[test]
    fn secrets_and_tokens_of_packagers() {
        for (secret, token, as_this) in [
            (THIRD, "aaaaaaaaaaaaaaaaaaaa", None),
            // The policy's secret of before an exchange, or of after.
            (OTHER, "aaaaaaaaaaaaaaaaaaaa", None),
            (
                LONG,
                "aaaaaaaaaaaaaaaaaaaa",
                Some("secret: in the policy \"a\" this is the same as policies[0].tokenAuth"),
            ),
            (THIRD, LONG, Some("requesters[0].token: in the policy \"a\" this is the same as policies[0].tokenAuth")),
            (THIRD, OTHER, Some("requesters[0].token: in the policy \"a\" this is the same as policies[0].mediaEncr")),
            (THIRD, THIRD, Some("requesters[0].token: in the policy \"a\" this is the same as policies[0].mediaEncr")),
        ] {
            let requester = json!({"name": "a", "token": token, "contentIds": ["*"]});
            let speke = json!({"path": "/speke", "secret": secret, "requesters": [requester]});
            let document = json!({"holdHeaders": true, "assignments": [], "policies": [{"policyName": "a",
                "tokenAuth": {"enabled": true, "password": LONG},
                "mediaEncryption": {"enabled": true, "secret": OTHER, "speke": speke}}]});
            let (_, warnings) = crate::parse(document.to_string().as_bytes(), &|_| None).unwrap();
            let said = warnings.iter().filter(|text| !text.contains("the secret stands in the configuration"));
            let said: Vec<_> = said.collect();
            assert_eq!(said.len(), usize::from(as_this.is_some()), "{said:?}");
            let expected = as_this.map(|part| alloc::format!("policies[0].mediaEncryption.speke.{part}"));
            assert!(said.iter().zip(&expected).all(|(said, expected)| said.starts_with(expected)), "{said:?}");
        }
    }

    #[test]
    fn what_is_shared_on_purpose_and_what_differs() {
        let shared = |name: &str| (json!({"password": {"env": "L"}}), json!({"secret": {"env": name}}));
        assert_eq!(warnings(&[shared("O"), shared("O"), shared("O")]), [""; 0]);
        assert_eq!(
            warnings(&[(json!({"password": LONG, "transitionPassword": OTHER}), json!({"secret": THIRD}))]),
            [""; 0]
        );
        // Passwords that stand in for a missing secret are read once.
        assert_eq!(warnings(&[(json!({"password": LONG, "transitionPassword": OTHER}), json!({}))]), [""; 0]);
    }
}
