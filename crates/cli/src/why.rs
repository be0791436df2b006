//! `playlock why`: the filter's verdict on a request, with each check.

use std::io::Write;
use std::path::PathBuf;
use std::rc::Rc;

use clap::Args;
use playlock_core::exchange::Exchange;
use playlock_core::http::reply::{Header, Reply};
use playlock_core::policy::Policies;
use playlock_core::step::RequestStep;
use serde_json::{Value, json};

use crate::address::Address;
use crate::config;
use crate::explain::{Check, Explanation, Mark};
use crate::failure::Failure;
use crate::terminal::{Colours, shown};
use crate::time;
use crate::viewer::{Asked, Viewer, random};

/// Explain the filter's verdict on a request, check by check.
///
/// The request goes through the same code as in the filter. Exit status 0 if the request passes, 1 if it is refused, 2
/// if the command or the configuration is invalid.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock why --config policies.json 'https://edge.example/vod/master.m3u8?hdnts=…' --ip 203.0.113.7
  playlock why --config policies.json https://edge.example/vod/1.ts --cookie \"hdntl-$REFERENCE=$TOKEN\" --now -10m
  playlock why --config policies.json \"$URL\" --header 'Referer: https://tv.example/' --json")]
pub struct Why {
    /// The request URL, from the access log or the player.
    url: Address,
    /// The configuration, as passed to Envoy; secrets given as {"env": NAME} come from the environment.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    viewer: Viewer,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The filter's verdict on a request.
pub struct Verdict {
    /// Step of the exchange: `forward`, `reply`, `ask`, `collect` or `refuse`.
    step: &'static str,
    /// Response to the viewer, if already decided.
    reply: Option<Reply>,
    facts: Vec<(&'static str, String)>,
}

/// Writes the verdict and the checks to `output`.
///
/// # Errors
/// The refusal, or an error in the arguments or the configuration.
pub fn run(arguments: &Why, output: &mut dyn Write, colours: Colours) -> Result<(), Failure> {
    let loaded = config::load(&arguments.config)?;
    let asked = arguments.viewer.asks(&arguments.url)?;
    let (verdict, explanation) = judge(loaded.policies, &loaded.text, &asked)?;
    let text = match arguments.json {
        true => format!("{:#}\n", as_json(&verdict, &explanation, asked.now)),
        false => as_text(&verdict, &explanation, asked.now, asked.client(), colours),
    };
    output.write_all(text.as_bytes()).map_err(config::output_failure)?;
    if verdict.step == "refuse" { Err(Failure::Reported(1)) } else { Ok(()) }
}

/// The verdict of policies, compiled from `document`, on a request.
///
/// # Errors
/// The operating system has no random bytes.
pub fn judge<'a>(policies: Policies, document: &'a str, asked: &Asked) -> Result<(Verdict, Explanation<'a>), Failure> {
    let id = random()?;
    let policies = Rc::new(policies);
    let mut explanation = Explanation::new(document);
    let (exchange, step) =
        asked.with(|request| Exchange::open_observed(&policies, request, &mut || id, &mut explanation));
    let verdict = match step {
        RequestStep::Forward(_) => Verdict { step: "forward", reply: None, facts: exchange.log_fields() },
        RequestStep::Collect => Verdict { step: "collect", reply: None, facts: exchange.log_fields() },
        RequestStep::Ask(_) => Verdict { step: "ask", reply: None, facts: exchange.log_fields() },
        RequestStep::Reply(reply) => {
            let step = if exchange.reason().is_some() { "refuse" } else { "reply" };
            Verdict { step, reply: Some(reply), facts: exchange.log_fields() }
        }
    };
    Ok((verdict, explanation))
}

impl Verdict {
    fn fact(&self, name: &str) -> Option<&str> {
        self.facts.iter().find(|(found, _)| *found == name).map(|(_, word)| word.as_str())
    }

    fn sentence(&self) -> String {
        let kind = self.fact("kind").unwrap_or_default();
        match (self.step, &self.reply) {
            ("forward", _) if kind == "pass" => "passes untouched".into(),
            ("forward", _) => format!("passes, as {kind}"),
            ("collect", _) if kind == "speke" => "goes to the key server for packagers, with its body".into(),
            ("collect", _) => format!("passes, as {kind}, with its body"),
            ("ask", _) => "passes if the authorizer says so".into(),
            (_, Some(Reply { reason: Some(reason), status, .. })) => {
                format!("{status} {}: {}", reason.word(), reason.title())
            }
            (_, Some(reply)) => format!("{} {kind}, answered by the filter", reply.status),
            (_, None) => String::new(),
        }
    }
}

fn as_text(
    verdict: &Verdict,
    explanation: &Explanation<'_>,
    now: u64,
    client: Option<&str>,
    colours: Colours,
) -> String {
    let refused = verdict.step == "refuse";
    let sentence = verdict.sentence();
    let mut text = if refused { colours.bad(&sentence) } else { colours.good(&sentence) };
    text.push('\n');
    let at = format!("at {}, from {}", time::local(now), client.unwrap_or("an address that is not known (--ip)"));
    text.push_str(&format!("{}\n", colours.dim(&at)));
    for (name, word) in verdict.facts.iter().filter(|(name, _)| *name != "reason") {
        text.push_str(&format!("{name:<8} {}\n", shown(word)));
    }
    if let Some(location) = verdict.reply.as_ref().and_then(|reply| of(&reply.headers, "location")) {
        text.push_str(&format!("{:<8} {}\n", "location", shown(location)));
    }
    text.push('\n');
    for check in &explanation.checks {
        text.push_str(&line(check, colours));
    }
    text
}

fn line(check: &Check, colours: Colours) -> String {
    let mark = match check.mark {
        Mark::Good => colours.good("ok"),
        Mark::Bad(_) => colours.bad("NO"),
        Mark::Note => colours.dim("--"),
    };
    let word = match check.mark {
        Mark::Bad(reason) => format!("{}: ", reason.word()),
        Mark::Good | Mark::Note => String::new(),
    };
    let mut text = format!("{mark} {}: {word}{}\n", colours.bold(check.name), shown(&check.text));
    for detail in &check.details {
        text.push_str(&format!("     {}\n", colours.dim(&shown(detail))));
    }
    text
}

/// The verdict and its checks as JSON.
pub fn as_json(verdict: &Verdict, explanation: &Explanation<'_>, now: u64) -> Value {
    let checks: Vec<Value> = explanation
        .checks
        .iter()
        .map(|check| {
            let (mark, reason) = match check.mark {
                Mark::Good => ("good", None),
                Mark::Note => ("note", None),
                Mark::Bad(reason) => ("bad", Some(reason.word())),
            };
            json!({"check": check.name, "result": mark, "reason": reason, "text": check.text, "details": check.details})
        })
        .collect();
    let reply = verdict.reply.as_ref();
    json!({
        "verdict": if verdict.step == "refuse" { "refused" } else { "passed" },
        "step": verdict.step,
        "status": reply.map(|reply| reply.status),
        "reason": verdict.fact("reason"),
        "title": reply.and_then(|reply| reply.reason).map(|reason| reason.title()),
        "location": reply.and_then(|reply| of(&reply.headers, "location")),
        "kind": verdict.fact("kind"),
        "policy": verdict.fact("policy"),
        "session": verdict.fact("session"),
        "now": now,
        "checks": checks,
    })
}

fn of<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    playlock_core::http::headers::text(headers, name)
}
