//! Exchanges whose request has a body: those with packagers, and viewers' for licenses. All of them are answered here.

use super::{Exchange, State};
use crate::http::reply::{Reason, Reply};
use crate::http::route::Kind;
use crate::request::collecting::Collecting;
use crate::request::license::LicenseRequest;
use crate::request::opened::Next;
use crate::request::speke::Opened;
use crate::step::{RequestBodyStep, RequestStep};

impl Exchange {
    /// The step for a request for licenses.
    pub(super) fn begin_license(&mut self, request: LicenseRequest) -> RequestStep {
        self.kind = Kind::License;
        self.session = Some(request.session.id_text());
        self.state = State::Collecting(Collecting::License(request));
        RequestStep::Collect
    }

    /// The step for a request of a packager.
    pub(super) fn begin_speke(&mut self, opened: Opened) -> RequestStep {
        self.kind = Kind::Speke;
        self.policy = Some(opened.policy);
        self.requester = opened.requester;
        self.plain_target = Some(opened.path);
        match opened.next {
            Next::Answer(reply) => RequestStep::Reply(self.answer_speke(reply)),
            Next::Collect(collecting) => {
                self.state = State::Collecting(Collecting::Speke(collecting));
                RequestStep::Collect
            }
        }
    }

    /// Whether [`Exchange::on_request_body`] is to get the request's body.
    pub fn collects(&self) -> bool {
        matches!(self.state, State::Collecting(_))
    }

    /// Whether the request is answered here, so that nothing of it may reach the origin.
    pub fn is_answered(&self) -> bool {
        self.answered.is_some() || matches!(self.state, State::Asking(..))
    }

    /// Takes the next bytes of the request's body. With trailers, which are ignored, `end_of_stream` comes with them and
    /// no bytes. `random` supplies 16 random bytes.
    pub fn on_request_body(
        &mut self,
        chunk: &[u8],
        end_of_stream: bool,
        random: &mut dyn FnMut() -> [u8; 16],
    ) -> RequestBodyStep {
        let State::Collecting(collecting) = &mut self.state else {
            return RequestBodyStep::Reply(self.refusal(Reason::Body));
        };
        match collecting {
            Collecting::Speke(collecting) => match collecting.push(chunk, end_of_stream, &self.policies, random) {
                None => RequestBodyStep::Hold,
                Some(reply) => {
                    self.state = State::Idle;
                    RequestBodyStep::Reply(self.answer_speke(reply))
                }
            },
            Collecting::License(request) => match request.push(chunk, end_of_stream, &self.policies) {
                Ok(None) => RequestBodyStep::Hold,
                Ok(Some((reply, None))) => {
                    self.state = State::Idle;
                    self.answered = Some(reply.status);
                    RequestBodyStep::Reply(self.with_cors(reply))
                }
                Ok(Some((reply, Some(inquiry)))) => {
                    self.state = State::Asking(self.with_cors(reply), inquiry.on_unavailable);
                    RequestBodyStep::Ask(inquiry.call)
                }
                Err(reason) => {
                    self.state = State::Idle;
                    self.answered = Some(reason.status());
                    RequestBodyStep::Reply(self.refusal(reason))
                }
            },
        }
    }

    fn answer_speke(&mut self, reply: Reply) -> Reply {
        self.answered = Some(reply.status);
        self.reason = reply.reason;
        reply
    }
}
