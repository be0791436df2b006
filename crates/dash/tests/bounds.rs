//! Memory and allocations of a rewriter: bounded at any time, and proportional to the document over all.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::string_slice, reason = "a test")]
#![allow(unsafe_code, reason = "a counting allocator")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use common::{Kind, Site};
use playlock_dash::{Additions, DashError, Links, Place, Protection, Rewriter};
use url::Url;

thread_local! {
    static IN_USE: Cell<usize> = const { Cell::new(0) };
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static HEAP: Counting = Counting;

// SAFETY: every call goes to the system's heap as it is; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = IN_USE.try_with(|it| it.set(it.get().wrapping_add(layout.size())));
        let _ = TAKEN.try_with(|it| it.set(it.get().wrapping_add(layout.size())));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let _ = IN_USE.try_with(|it| it.set(it.get().wrapping_sub(layout.size())));
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

/// Links whose bases take no memory: it is the rewriter that is measured.
struct Constant {
    calls: usize,
}

impl Links for Constant {
    type Base = ();

    fn document(&self) {}

    fn resolve(&self, (): &(), _: &str) {}

    fn is_own(&self, (): &(), _: &str) -> bool {
        true
    }

    fn link(&mut self, _: Place, (): &(), reference: &str) -> Option<String> {
        self.calls += 1;
        Some(format!("{reference}?token"))
    }
}

/// A document with all that can be long, and its parts so often.
fn document(times: usize) -> String {
    let timeline = "<S t='1' d='2'/>\n".repeat(20);
    let list = "<SegmentURL media='s' index='i'/>".repeat(20);
    let base = "<BaseURL>b/</BaseURL>";
    let period = format!(
        "<Period>{base}{base}<SegmentTemplate media='{long}'/><EventStream><Event>{long}</Event></EventStream>
         <AdaptationSet mimeType='video/mp4'>{base}{base}<BaseURL>{long}</BaseURL>\
         <SegmentTemplate media='m'><SegmentTimeline>{timeline}</SegmentTimeline></SegmentTemplate>\
         <Representation>{base}</Representation>\
         <Representation><SegmentList>{list}</SegmentList></Representation></AdaptationSet>\
         <!-- {long} --></Period>",
        long = "x".repeat(7000)
    );
    format!("<MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='dynamic'>{}</MPD>", period.repeat(times))
}

fn additions() -> Additions {
    let protection = Protection { scheme: "cbcs", kid: [1; 16], license: "/license".into() };
    Additions { location: Some("/reload".into()), base: Some("/base/".into()), protection: Some(protection) }
}

/// The most bytes held between two chunks, and all bytes taken.
fn measure(document: &str, chunk: usize) -> (usize, usize) {
    let mut out = Vec::with_capacity(200_000);
    let (before, taken) = (IN_USE.get(), TAKEN.get());
    let mut rewriter = Rewriter::new(Constant { calls: 0 }, additions());
    let mut most = 0;
    for chunk in document.as_bytes().chunks(chunk) {
        out.clear();
        rewriter.push(chunk, &mut out).unwrap();
        assert!(out.capacity() == 200_000);
        most = most.max(IN_USE.get() - before);
    }
    rewriter.finish(&mut out).unwrap();
    (most, TAKEN.get() - taken)
}

#[test]
fn memory_does_not_grow_with_the_document() {
    for chunk in [100, 4096, 16384] {
        let (few, _) = measure(&document(3), chunk);
        let (many, _) = measure(&document(60), chunk);
        // Where a chunk ends decides how much of a tag is held at the time.
        assert!(many <= few + 8 * 1024 + chunk, "{few} and {many} bytes held, in chunks of {chunk}");
        assert!(many < 64 * 1024 + 2 * chunk, "{many} bytes held");
    }
}

#[test]
fn what_is_allocated_over_all_is_proportional_to_the_document() {
    let (_, few) = measure(&document(10), 4096);
    let (_, many) = measure(&document(40), 4096);
    assert!(many < few * 41 / 10, "{few} bytes for 10 periods, {many} for 40");
}

/// The most expensive documents by references, bases and repetition: so many questions for each byte.
#[test]
fn questions_are_proportional_to_the_document() {
    let bases = "<BaseURL>b/</BaseURL>".repeat(16);
    let urls = "<SegmentURL media='s' index='i'/>".repeat(1000);
    let list = format!("<Representation><SegmentList>{urls}</SegmentList></Representation>");
    let many = format!("<Period>{bases}<AdaptationSet>{list}</AdaptationSet></Period>");
    let templates = "<SegmentTemplate media='a' initialization='b' index='c' bitstreamSwitching='d'/>".repeat(4);
    let below = "<Representation><BaseURL>c/</BaseURL></Representation>".repeat(1000);
    let inherited = format!("<Period>{templates}<AdaptationSet>{below}</AdaptationSet></Period>");
    for period in [many, inherited] {
        let document = format!("<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'>{period}</MPD>");
        let mut rewriter = Rewriter::new(Counter, Additions::default());
        let mut out = Vec::new();
        rewriter.push(document.as_bytes(), &mut out).unwrap();
        let asked = COUNT.get();
        COUNT.set(0);
        assert!(asked < document.len() * 2, "{asked} questions for {} bytes", document.len());
    }
}

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counter;

impl Links for Counter {
    type Base = ();

    fn document(&self) {}

    fn resolve(&self, (): &(), _: &str) {
        COUNT.set(COUNT.get() + 1);
    }

    fn is_own(&self, (): &(), _: &str) -> bool {
        COUNT.set(COUNT.get() + 1);
        true
    }

    fn link(&mut self, _: Place, (): &(), _: &str) -> Option<String> {
        COUNT.set(COUNT.get() + 1);
        None
    }
}

/// A text, a tag or a comment without an end is given up as soon as it is too long, or passes.
#[test]
fn nothing_is_kept_beyond_its_limit() {
    let site = Site {
        document: Url::parse("https://own.example/").unwrap(),
        hosts: vec!["own.example".into()],
        kind: Kind::Query,
    };
    let refused = |start: &str| {
        let mut rewriter = Rewriter::new(site.clone(), Additions::default());
        let mut out = Vec::new();
        rewriter.push(b"<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'>", &mut out).unwrap();
        rewriter.push(start.as_bytes(), &mut out).unwrap();
        let mut chunks = std::iter::repeat_n(b"xxxxxxxx".as_slice(), 3000);
        let error = chunks.find_map(|chunk| rewriter.push(chunk, &mut out).err());
        error.map(|error| (error, chunks.len() > 900))
    };
    assert_eq!(refused("<BaseURL>"), Some((DashError::UrlTooLong, true)));
    assert_eq!(refused("<BaseURL><![CDATA["), Some((DashError::UrlTooLong, true)));
    assert_eq!(refused("<BaseURL><!--"), Some((DashError::UrlTooLong, true)));
    assert!(matches!(refused("<Period a='"), Some((DashError::Xml(_), true))));
    assert_eq!(refused("<!--"), None);
    assert_eq!(refused("<ProgramInformation>"), None);
    assert_eq!(refused("<PatchLocation>"), None);
}
