//! The environment of a document: values of variables, and of sealed secrets whose key is not there.

use alloc::string::String;

/// The environment that secrets are looked up in.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// Value of a variable, and of the keys of sealed secrets.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Value in place of a sealed text that cannot be opened, where its key need not be known. Sealed texts must be
    /// well-formed all the same.
    pub stand_in: Option<&'a dyn Fn(&str) -> String>,
}

impl<'a> Env<'a> {
    /// An environment with the keys of sealed secrets, if there are any.
    pub fn new(variable: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { variable, stand_in: None }
    }

    /// An environment without the keys of sealed secrets.
    pub fn elsewhere(variable: &'a dyn Fn(&str) -> Option<String>, stand_in: &'a dyn Fn(&str) -> String) -> Self {
        Self { variable, stand_in: Some(stand_in) }
    }
}
