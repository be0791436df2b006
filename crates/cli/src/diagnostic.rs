//! Findings of `playlock check`, each with its severity.

/// The effect of a finding on the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Undoes the protection, or makes Envoy hang or refuse the configuration.
    Error,
    /// A likely mistake.
    Warning,
    /// A summary of a part without errors.
    Summary,
}

/// One finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its severity.
    pub severity: Severity,
    /// One line, without the severity.
    pub text: String,
}

/// Findings in the order in which they were made.
#[derive(Debug, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Adds a finding.
    pub fn add(&mut self, severity: Severity, text: String) {
        self.0.push(Diagnostic { severity, text });
    }

    /// Adds an error at `path`, once.
    pub fn error(&mut self, path: &str, text: &str) {
        self.add_once(Severity::Error, path, text);
    }

    /// Adds a warning at `path`, once.
    pub fn warning(&mut self, path: &str, text: &str) {
        self.add_once(Severity::Warning, path, text);
    }

    /// Routes that several listeners share by a YAML anchor are checked for each of them.
    fn add_once(&mut self, severity: Severity, path: &str, text: &str) {
        let diagnostic = Diagnostic { severity, text: format!("{path}: {text}") };
        if !self.0.contains(&diagnostic) {
            self.0.push(diagnostic);
        }
    }

    /// All findings.
    pub fn all(&self) -> &[Diagnostic] {
        &self.0
    }

    /// The texts of one severity.
    pub fn of(&self, severity: Severity) -> Vec<&str> {
        let all = self.0.iter().filter(|diagnostic| diagnostic.severity == severity);
        all.map(|diagnostic| diagnostic.text.as_str()).collect()
    }
}
