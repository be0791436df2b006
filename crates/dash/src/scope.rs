//! The base URLs in scope (ISO/IEC 23009-1, 5.6.4): alternatives at each level, of which the player chooses one.
//!
//! A player may also resolve against the first `Location` (Shaka Player does), and a segment template of a Period has
//! the `BaseURL` of the Representation that inherits it. So each reference must have the same link under all bases that
//! it may get, those further on in the document among them; else the document is refused.

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::DashError;
use crate::limits;
use crate::links::{Link, Links, Place, check, is_absolute, link};

pub(crate) struct Scope<B> {
    /// Of the document: its own URL, and those of its locations.
    document: Vec<B>,
    /// MPD, Period, set and Representation, as far as they are open.
    levels: Vec<Level<B>>,
    /// References that may yet get other bases.
    pending: Vec<Reference>,
}

struct Level<B> {
    /// Of its `BaseURL` elements; without any, those of the level above.
    bases: Vec<B>,
    /// A reference has been resolved against these bases, or against those of a level below.
    used: bool,
    /// A level below has begun.
    nested: bool,
    /// A level below has bases of its own.
    divided: bool,
    /// References before those of this level.
    pending: usize,
    /// Not all references of this level are remembered.
    forgotten: bool,
}

struct Reference {
    place: Place,
    reference: String,
    link: Link,
}

impl<B: Clone> Scope<B> {
    pub(crate) fn new(document: B) -> Self {
        Self { document: Vec::from([document]), levels: Vec::new(), pending: Vec::new() }
    }

    /// The bases of references at this point.
    fn bases(&self) -> &[B] {
        let nearest = self.levels.iter().rev().find(|level| !level.bases.is_empty());
        nearest.map_or(&self.document, |level| &level.bases)
    }

    pub(crate) fn enter(&mut self) {
        let in_root = self.levels.len() == 1;
        if let Some(level) = self.levels.last_mut() {
            level.nested = true;
            if in_root {
                // Those of MPD itself: no location follows.
                self.pending.clear();
                level.forgotten = false;
            }
        }
        let pending = self.pending.len();
        let level = Level { bases: Vec::new(), used: false, nested: false, divided: false, pending, forgotten: false };
        self.levels.push(level);
    }

    pub(crate) fn leave(&mut self) {
        if let Some(level) = self.levels.pop() {
            self.pending.truncate(level.pending);
        }
    }

    /// A `BaseURL` of the innermost level.
    pub(crate) fn base<L: Links<Base = B>>(&mut self, links: &mut L, reference: &str) -> Result<Link, DashError> {
        let Some((level, above)) = self.levels.split_last_mut() else { return Err(DashError::Order) };
        if level.used {
            return Err(DashError::Order);
        }
        let root = above.is_empty();
        let parents =
            above.iter().rev().find(|level| !level.bases.is_empty()).map_or(&self.document, |level| &level.bases);
        let found = link(links, parents, Place::Base, reference)?;
        let added = resolve(links, parents, reference);
        if root {
            extend(&mut level.bases, added)?;
            self.remember(Place::Base, reference, &found);
            return Ok(found);
        }
        for level in above {
            if level.forgotten {
                return Err(DashError::TooManyBases);
            }
            level.used = true;
            level.divided = true;
        }
        for pending in &self.pending {
            check(links, &added, (pending.place, &pending.reference), &pending.link)?;
        }
        extend(&mut level.bases, added)?;
        Ok(found)
    }

    /// A `Location`, which is a base of the document for some players.
    pub(crate) fn location<L: Links<Base = B>>(&mut self, links: &mut L, reference: &str) -> Result<Link, DashError> {
        let before = |level: &&mut Level<B>| !level.used && !level.nested;
        let Some(level) = self.levels.first_mut().filter(before) else { return Err(DashError::Order) };
        if level.forgotten {
            return Err(DashError::TooManyBases);
        }
        let found = link(links, self.document.get(..1).unwrap_or_default(), Place::Location, reference)?;
        let added: Vec<B> =
            self.document.first().map(|document| links.resolve(document, reference)).into_iter().collect();
        for pending in &self.pending {
            check(links, &added, (pending.place, &pending.reference), &pending.link)?;
            if pending.place == Place::Base && !is_absolute(&pending.reference) {
                extend(&mut level.bases, resolve(links, &added, &pending.reference))?;
            }
        }
        extend(&mut self.document, added)?;
        Ok(found)
    }

    /// A reference that has the bases of the document: `BaseURL` elements do not matter to it.
    pub(crate) fn of_document<L: Links<Base = B>>(
        &mut self,
        links: &mut L,
        place: Place,
        reference: &str,
    ) -> Result<Link, DashError> {
        let link = link(links, &self.document, place, reference)?;
        if let [level] = self.levels.as_slice()
            && !level.nested
        {
            self.remember(place, reference, &link);
        }
        Ok(link)
    }

    /// The beginning of an element with segments, which the levels below inherit: none of them may have got another
    /// base yet.
    pub(crate) fn segments(&self) -> Result<(), DashError> {
        if self.levels.last().is_some_and(|level| level.divided) { Err(DashError::Order) } else { Ok(()) }
    }

    /// A reference to segments. It is inherited by the levels below, if there can be any.
    pub(crate) fn reference<L: Links<Base = B>>(
        &mut self,
        links: &mut L,
        place: Place,
        reference: &str,
        inherited: bool,
    ) -> Result<Link, DashError> {
        let link = link(links, self.bases(), place, reference)?;
        self.levels.iter_mut().for_each(|level| level.used = true);
        if inherited {
            self.remember(place, reference, &link);
        }
        Ok(link)
    }

    /// Remembers a reference that may yet get other bases.
    fn remember(&mut self, place: Place, reference: &str, link: &Link) {
        if is_absolute(reference) {
            return;
        }
        let bytes: usize = self.pending.iter().map(|pending| pending.reference.len()).sum();
        if self.pending.len() < limits::PENDING && bytes + reference.len() <= limits::PENDING_BYTES {
            self.pending.push(Reference { place, reference: reference.into(), link: link.clone() });
        } else if let Some(level) = self.levels.last_mut() {
            level.forgotten = true;
        }
    }
}

/// A reference resolved against each of its bases.
fn resolve<L: Links>(links: &L, bases: &[L::Base], reference: &str) -> Vec<L::Base> {
    let choice = if is_absolute(reference) { bases.get(..1).unwrap_or_default() } else { bases };
    choice.iter().map(|base| links.resolve(base, reference)).collect()
}

fn extend<B>(bases: &mut Vec<B>, mut added: Vec<B>) -> Result<(), DashError> {
    if bases.len() + added.len() > limits::BASES {
        return Err(DashError::TooManyBases);
    }
    bases.append(&mut added);
    Ok(())
}
