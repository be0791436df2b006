//! A viewer of an MPD whose samples are encrypted: its session, the parameter of media, and its license servers.

use std::rc::Rc;

use playlock_core::media::batch::Batch;
use playlock_core::policy::{Match, Policies};
use serde_json::json;

use crate::edge::{self, Asked, End, Flow, header};
use crate::site::{NOW, PASSWORD, hex, site};

const MPD: &str = "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"><Period><AdaptationSet mimeType=\"video/mp4\">\
    <SegmentTemplate media=\"v/$Number$.m4s\"/><Representation id=\"v\"/></AdaptationSet></Period></MPD>";

/// A player's knowledge of a protected stream.
#[derive(Debug)]
pub struct Protected {
    /// The configuration. Headers are held.
    pub policies: Rc<Policies>,
    /// The pair of the session token in the query.
    pub session: String,
    /// The pair of the parameter of media.
    pub media: String,
    /// The pair of the parameter of the license server `/license`.
    pub license: String,
    /// The key ID of samples.
    pub kid: [u8; 16],
    /// The path below which keys of packaged content are.
    pub packaged: String,
}

impl Protected {
    /// A viewer under `scheme`.
    pub fn new(scheme: &str) -> Self {
        let requester = json!({"name": "packager", "token": "packager-0123456789abcdef", "contentIds": ["*"]});
        let document = json!({
            "policies": [{
                "policyName": "vod",
                "tokenAuth": {"enabled": true, "password": hex(&PASSWORD)},
                "mediaEncryption": {
                    "enabled": true, "secret": "30313233343536373839616263646566", "scheme": scheme,
                    "speke": {"path": "/speke", "viewerUrl": "/vod/{contentId}/keys", "requesters": [requester]},
                },
            }],
            "assignments": [{"policyName": "vod", "path": "/vod"}],
            "holdHeaders": true,
        });
        let (policies, _) =
            playlock_config::parse(document.to_string().as_bytes(), &|_| None).expect("a good configuration");
        let policies = Rc::new(policies);
        let target = format!("/vod/a/film.mpd?hdnts={}", site(0).ticket());
        let Asked::Forwarded(exchange, _) = edge::get(&policies, target.as_bytes(), &[]) else { panic!("refused") };
        let mut flow = Flow::new(exchange);
        flow.head(&[header(":status", "200"), header("content-type", "application/dash+xml")], false, true);
        flow.chunk(MPD.as_bytes(), true, 0, &mut Batch::default());
        assert_eq!((flow.end, flow.status()), (End::Clean, 200));
        let text = String::from_utf8(flow.body).expect("text");
        let pair = |start: &str| {
            let (_, rest) = text.split_once(start).expect("a parameter");
            rest.split(['&', '"', '<']).next().expect("a value")
        };
        let kid = pair("cenc:default_KID=\"").replace('-', "");
        let kid = u128::from_str_radix(&kid, 16).expect("hex").to_be_bytes();
        let Match::Policy(_, policy) = policies.policy_for("tv.example", "/vod/", NOW) else { panic!("no policy") };
        let speke = policy.encryption.as_ref().and_then(|encryption| encryption.speke.as_ref()).expect("a key server");
        let packaged = format!("/vod/film-7/keys/{}", hex(&speke.keys.secret_id()));
        Self {
            session: format!("hdntl={}", pair("hdntl=")),
            media: format!("plk={}", pair(".m4s?plk=")),
            license: format!("plk={}", pair("/license?plk=")),
            kid,
            packaged,
            policies,
        }
    }
}
