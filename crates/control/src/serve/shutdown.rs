//! The end of the server: SIGTERM or SIGINT, seen by every listener.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Time that requests under way get when the server ends.
pub const DRAIN: Duration = Duration::from_secs(10);

/// Resolves once the server should end. Clones see the same end.
#[derive(Clone)]
pub struct Shutdown {
    asked: watch::Receiver<bool>,
}

impl Shutdown {
    /// Begins to listen for signals.
    ///
    /// # Errors
    /// If the system does not allow it.
    pub fn listen() -> io::Result<Self> {
        let (sender, asked) = watch::channel(false);
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            // Without receivers nothing is left to end.
            let _ = sender.send(true);
            // Keeps the channel open.
            sender.closed().await;
        });
        Ok(Self { asked })
    }

    /// Waits for the end.
    pub async fn ended(&self) {
        // A closed channel is an end, too.
        let _ = self.asked.clone().wait_for(|asked| *asked).await;
    }
}
