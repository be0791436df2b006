//! The lines that a started server prints.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use crate::xds::entry;

/// A started server.
pub struct Greeting<'a> {
    /// The data folder.
    pub folder: &'a Path,
    /// Host and port of the API and the page.
    pub host: &'a str,
    /// The address of Envoys.
    pub xds: SocketAddr,
    /// The address of health checks.
    pub health: SocketAddr,
    /// The address of questions about keys.
    pub leases: Option<SocketAddr>,
    /// The code of the first login.
    pub login: Option<&'a str>,
    /// Name of the filter.
    pub filter_name: &'a str,
}

impl Greeting<'_> {
    /// The text.
    pub fn text(&self) -> String {
        let folder = self.folder.display();
        let mut text = format!(
            "playlock serve\n\
             api:     https://{host}/\n\
             envoys:  {xds}\n\
             health:  http://{health}/ready\n\
             {leases}\
             files:   {folder}: ca.pem, edgerc, node-staging.pem and .key, node-production.pem and .key, master.key\n",
            host = self.host,
            xds = self.xds,
            health = self.health,
            leases = self.leases.map(|address| format!("leases:  {address}\n")).unwrap_or_default(),
        );
        // Writing to a String cannot fail.
        let _ = match self.login {
            Some(code) => {
                writeln!(text, "log in:  https://{}/login#{code} (once, within a quarter of an hour)", self.host)
            }
            None => writeln!(text, "log in:  playlock control login --data {folder} prints a URL"),
        };
        let _ = write!(
            text,
            "\nFor Envoy's http_filters; the other lines are in {folder}/envoy-staging.yaml and envoy-production.yaml:\n\n{}",
            entry(self.filter_name)
        );
        text
    }
}
