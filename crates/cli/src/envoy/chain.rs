//! A connection manager's chain of filters, and the position of playlock in it.

use super::tree::Node;

/// A connection manager, and the position of the filter in its chain.
#[derive(Debug, Clone)]
pub struct Chain<'a> {
    /// The connection manager.
    pub manager: Node<'a>,
    /// All its filters.
    pub filters: Vec<Node<'a>>,
    /// The position of playlock among them.
    pub index: usize,
}

impl Chain<'_> {
    /// The filters before playlock.
    pub fn before(&self) -> &[Node<'_>] {
        self.filters.get(..self.index).unwrap_or_default()
    }

    /// Playlock and the filters after it.
    pub fn behind(&self) -> &[Node<'_>] {
        self.filters.get(self.index..).unwrap_or_default()
    }

    /// The filter with this name.
    pub fn filter(&self, name: &str) -> Option<&Node<'_>> {
        self.filters.iter().find(|filter| filter.text(&["name"]) == Some(name))
    }
}
