//! The checks of a request as `playlock why` prints them: an observer of the core's own admission.

mod content;
mod door;
mod explanation;
mod key;
mod shared;
mod token;

use playlock_core::http::incoming::{Incoming, RequestHead};
use playlock_core::http::reply::Reason;
use playlock_core::request::check::{Observer, Outcome, TokenSeen};
use playlock_core::request::door::Door;
use playlock_core::request::visit::Visit;

pub use self::explanation::{Check, Explanation, Mark};
pub use self::key::{PACKAGED, shared_by};

impl Observer for Explanation<'_> {
    fn target(&mut self, _: &RequestHead<'_>, incoming: Option<&Incoming<'_>>) {
        match incoming {
            None => self.say("target", Mark::Bad(Reason::Target), Reason::Target.title()),
            Some(incoming) => {
                self.say("target", Mark::Good, "it names one path");
                self.detail(format!("path {}", incoming.target.path));
                if incoming.plain_target.is_some() {
                    self.detail("without the token in its first segment");
                }
            }
        }
    }

    fn speke(&mut self, refused: Option<Reason>) {
        match refused {
            Some(reason) => self.say("speke", Mark::Bad(reason), reason.title()),
            None => self.say("speke", Mark::Good, "the path is that of a key server for packagers"),
        }
    }

    fn at_the_door(&mut self, check: &'static str, outcome: Outcome<'_>, door: &Door<'_>) {
        door::explain(self, check, outcome, door);
    }

    fn under_policy(&mut self, check: &'static str, outcome: Outcome<'_>, visit: &Visit<'_>) {
        if matches!(outcome, Outcome::Skipped) && check != "session" {
            return;
        }
        match visit.policies.is_key_path(&visit.incoming.target.path) {
            true => key::explain(self, check, outcome, visit),
            false => content::explain(self, check, outcome, visit),
        }
    }

    fn no_session_token(&mut self, named: bool, visit: &Visit<'_>) {
        token::no_session_token(self, named, visit);
    }

    fn no_access_token(&mut self, visit: &Visit<'_>) {
        token::no_access_token(self, visit);
    }

    fn token(&mut self, token: &TokenSeen<'_>, visit: &Visit<'_>) {
        token::seen(self, token, visit);
    }
}
