//! The reader: from the XML parser's tokens to the model.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use playlock_drm::{Kid, System};

use super::limits;
use super::model::{
    Attribute, ContentKey, DeliveryData, DrmSystem, Filter, Gap, KnownPrefixes, List, Model, Place, Rule,
};
use super::node::{self, ENC, Node, PSKC, SPEKE};
use crate::error::SpekeError;
use playlock_xml::text::{attribute_value, unescape};
use playlock_xml::{Element, Sink, Token, XMLNS};

/// Reads a document into its model.
pub(super) fn read(body: &[u8]) -> Result<Model, SpekeError> {
    if body.len() > limits::BODY {
        return Err(SpekeError::TooLarge);
    }
    let mut reader = Reader::default();
    playlock_xml::parse(body, limits::XML, &mut reader)?;
    Ok(reader.model)
}

#[derive(Default)]
struct Reader {
    model: Model,
    open: Vec<Node>,
}

impl Sink for Reader {
    type Error = SpekeError;

    fn token(&mut self, at: u64, raw: &str, token: &Token<'_>) -> Result<(), SpekeError> {
        // The body is shorter than limits::BODY.
        let start = usize::try_from(at).unwrap_or(usize::MAX);
        let span = start..start.saturating_add(raw.len());
        match token {
            Token::Start(element) => {
                let node = self.start(&Tag { element, span: &span })?;
                if element.empty {
                    self.end(&node, None, span.end)?;
                } else {
                    self.open.push(node);
                }
            }
            Token::End(_) => {
                if let Some(node) = self.open.pop() {
                    let end = span.end;
                    self.end(&node, Some(span), end)?;
                }
            }
            Token::Text => self.text(&unescape(raw).unwrap_or_default()),
            Token::CData => self.text(raw),
            Token::Comment | Token::Delimiter | Token::Declaration => {}
        }
        Ok(())
    }
}

/// A start tag in the document.
struct Tag<'t> {
    element: &'t Element<'t>,
    span: &'t Range<usize>,
}

impl Tag<'_> {
    /// The attribute of this name, in no namespace.
    fn attribute(&self, local: &str) -> Option<Attribute> {
        let mut attributes = self.element.attributes.iter();
        let attribute = attributes.find(|attribute| attribute.namespace.is_empty() && attribute.name.local == local)?;
        Some(Attribute {
            value: attribute_value(attribute.value).unwrap_or_default().into_owned(),
            value_span: self.shift(&attribute.value_span),
            span: self.shift(&attribute.span),
        })
    }

    fn value(&self, local: &str) -> Option<String> {
        self.attribute(local).map(|attribute| attribute.value)
    }

    /// The attribute, if it is there and not empty.
    fn filled(&self, local: &str) -> Option<String> {
        self.value(local).filter(|value| !value.is_empty())
    }

    fn kid(&self, place: &'static str) -> Result<(Kid, String), SpekeError> {
        let text = self.filled("kid").ok_or(SpekeError::Missing(place))?;
        let kid = Kid::parse(&text).ok_or(SpekeError::Invalid { place, expected: "a UUID" })?;
        Ok((kid, text))
    }

    fn place(&self) -> Place {
        Place { name: self.element.name.spelling.to_owned(), start: self.span.clone(), end: None }
    }

    fn prefixes(&self) -> KnownPrefixes {
        let prefix = |namespace| self.element.scopes.prefix(namespace).map(ToOwned::to_owned);
        KnownPrefixes { pskc: prefix(PSKC), enc: prefix(ENC), speke: prefix(SPEKE) }
    }

    /// From the tag to the document.
    const fn shift(&self, range: &Range<usize>) -> Range<usize> {
        self.span.start.saturating_add(range.start)..self.span.start.saturating_add(range.end)
    }
}

impl Reader {
    fn start(&mut self, tag: &Tag<'_>) -> Result<Node, SpekeError> {
        let Element { name, namespace, .. } = *tag.element;
        let node = node::name(self.open.last(), namespace, name.local, tag.span);
        if matches!(self.open.last(), Some(Node::Gap(_) | Node::Certificate)) {
            return Err(SpekeError::Invalid { place: "DRMSystem/*", expected: "elements without elements in them" });
        }
        self.leftover_attributes(tag)?;
        match node {
            Node::Cpix => self.root(tag),
            Node::List(list) => self.list(list)?,
            Node::DeliveryData => self.delivery(tag)?,
            Node::ContentKey => self.content_key(tag)?,
            Node::DrmSystem => self.drm_system(tag)?,
            Node::Gap(gap) => self.gap(gap, tag)?,
            Node::Period => {
                limit(self.model.periods.len(), limits::RULES, "ContentKeyPeriod")?;
                self.model.periods.push(tag.filled("id"));
            }
            Node::Rule => self.rule(tag)?,
            Node::KeyPeriodFilter => self.period_filter(tag)?,
            Node::VideoFilter | Node::AudioFilter | Node::LabelFilter => self.filter(&node, tag)?,
            Node::Signature => return Err(SpekeError::Signed),
            Node::Foreign => return Err(SpekeError::UnsupportedElement(name.local.chars().take(64).collect())),
            Node::Certificate => self.certificate()?,
            Node::Other if self.open.is_empty() => return Err(SpekeError::NotCpix),
            Node::Data { .. } | Node::DeliveryKey | Node::X509Data | Node::Leftover { .. } | Node::Other => {}
        }
        Ok(node)
    }

    /// An element ends with its end tag, if it has one, and at `end` in the document.
    fn end(&mut self, node: &Node, tag: Option<Range<usize>>, end: usize) -> Result<(), SpekeError> {
        match node {
            Node::DeliveryData => close(self.model.deliveries.last_mut().map(|delivery| &mut delivery.place), tag),
            Node::ContentKey => close(self.model.keys.last_mut().map(|key| &mut key.place), tag),
            Node::DrmSystem => close(self.model.systems.last_mut().map(|system| &mut system.place), tag),
            Node::Gap(_) => {
                let gaps = self.model.systems.last_mut().map(|system| &mut system.gaps);
                close(gaps.and_then(|gaps| gaps.last_mut()).map(|(_, place)| place), tag);
            }
            Node::Data { start } => {
                let data = self.model.keys.last_mut().map(|key| &mut key.data);
                if let Some(data) = data
                    && data.replace(*start..end).is_some()
                {
                    return Err(SpekeError::Duplicate("ContentKey/Data"));
                }
            }
            Node::Leftover { tag } => self.leftover(tag.start..end)?,
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if matches!(self.open.last(), Some(Node::Certificate))
            && let Some(DeliveryData { certificate: Some(certificate), .. }) = self.model.deliveries.last_mut()
        {
            certificate.push_str(text);
        }
    }

    fn root(&mut self, tag: &Tag<'_>) {
        let root = &mut self.model.root;
        root.content_id = tag.attribute("contentId");
        root.id = tag.attribute("id");
        root.version = tag.attribute("version");
    }

    fn list(&mut self, list: List) -> Result<(), SpekeError> {
        if self.model.lists.contains(&list) {
            return Err(SpekeError::Duplicate(match list {
                List::DeliveryData => "DeliveryDataList",
                List::ContentKeys => "ContentKeyList",
                List::DrmSystems => "DRMSystemList",
                List::Periods => "ContentKeyPeriodList",
                List::Rules => "ContentKeyUsageRuleList",
            }));
        }
        self.model.lists.push(list);
        Ok(())
    }

    fn delivery(&mut self, tag: &Tag<'_>) -> Result<(), SpekeError> {
        limit(self.model.deliveries.len(), limits::RECIPIENTS, "DeliveryData")?;
        self.model.deliveries.push(DeliveryData { place: tag.place(), prefixes: tag.prefixes(), certificate: None });
        Ok(())
    }

    fn certificate(&mut self) -> Result<(), SpekeError> {
        match self.model.deliveries.last_mut().map(|delivery| &mut delivery.certificate) {
            Some(certificate @ None) => *certificate = Some(String::new()),
            _ => return Err(SpekeError::Duplicate("DeliveryData//X509Certificate")),
        }
        Ok(())
    }

    fn content_key(&mut self, tag: &Tag<'_>) -> Result<(), SpekeError> {
        limit(self.model.keys.len(), limits::KEYS, "ContentKey")?;
        let (kid, kid_text) = tag.kid("ContentKey@kid")?;
        if self.model.keys.iter().any(|key| key.kid == kid) {
            return Err(SpekeError::Duplicate("ContentKey@kid"));
        }
        self.model.keys.push(ContentKey {
            kid,
            kid_text,
            scheme: tag.filled("commonEncryptionScheme"),
            explicit_iv: tag.attribute("explicitIV"),
            place: tag.place(),
            data: None,
            prefixes: tag.prefixes(),
        });
        Ok(())
    }

    fn drm_system(&mut self, tag: &Tag<'_>) -> Result<(), SpekeError> {
        limit(self.model.systems.len(), limits::SYSTEMS, "DRMSystem")?;
        let (kid, _) = tag.kid("DRMSystem@kid")?;
        let system_text = tag.filled("systemId").ok_or(SpekeError::Missing("DRMSystem@systemId"))?;
        let Some(system) = System::parse(&system_text) else {
            return Err(if Kid::parse(&system_text).is_some() {
                SpekeError::UnknownSystem { system: system_text }
            } else {
                SpekeError::Invalid { place: "DRMSystem@systemId", expected: "a UUID" }
            });
        };
        if self.model.systems.iter().any(|other| other.kid == kid && other.system == system) {
            return Err(SpekeError::Duplicate("DRMSystem with this kid and systemId"));
        }
        let (place, prefixes) = (tag.place(), tag.prefixes());
        self.model.systems.push(DrmSystem { kid, system, system_text, place, gaps: Vec::new(), prefixes });
        Ok(())
    }

    fn gap(&mut self, gap: Gap, tag: &Tag<'_>) -> Result<(), SpekeError> {
        let gap = match (gap, tag.value("playlist").as_deref()) {
            (Gap::HlsMedia, None | Some("media")) => Gap::HlsMedia,
            // CPIX 2.3, and CPIX 2.4.
            (Gap::HlsMedia, Some("master" | "multiVariant")) => Gap::HlsMaster,
            (Gap::HlsMedia, Some(_)) => {
                return Err(SpekeError::Invalid { place: "HLSSignalingData@playlist", expected: "media or master" });
            }
            (gap, _) => gap,
        };
        let Some(system) = self.model.systems.last_mut() else { return Ok(()) };
        if system.gaps.iter().any(|(other, _)| *other == gap) {
            return Err(SpekeError::Duplicate("an element of a DRMSystem"));
        }
        system.gaps.push((gap, tag.place()));
        Ok(())
    }

    fn rule(&mut self, tag: &Tag<'_>) -> Result<(), SpekeError> {
        limit(self.model.rules.len(), limits::RULES, "ContentKeyUsageRule")?;
        let kid = tag.value("kid").and_then(|kid| Kid::parse(&kid));
        let track_type = tag.filled("intendedTrackType");
        self.model.rules.push(Rule { kid, track_type, periods: Vec::new(), filters: Vec::new() });
        Ok(())
    }

    fn period_filter(&mut self, tag: &Tag<'_>) -> Result<(), SpekeError> {
        let Some(rule) = self.model.rules.last_mut() else { return Ok(()) };
        limit(rule.periods.len(), limits::FILTERS, "KeyPeriodFilter")?;
        rule.periods.push(tag.filled("periodId"));
        Ok(())
    }

    fn filter(&mut self, node: &Node, tag: &Tag<'_>) -> Result<(), SpekeError> {
        let Some(rule) = self.model.rules.last_mut() else { return Ok(()) };
        limit(rule.filters.len(), limits::FILTERS, "filters of a ContentKeyUsageRule")?;
        rule.filters.push(match node {
            Node::VideoFilter => Filter::Video {
                min_pixels: tag.value("minPixels"),
                max_pixels: tag.value("maxPixels"),
                hdr: tag.value("hdr"),
                min_fps: tag.value("minFps"),
                max_fps: tag.value("maxFps"),
            },
            Node::AudioFilter => {
                Filter::Audio { min_channels: tag.value("minChannels"), max_channels: tag.value("maxChannels") }
            }
            _ => Filter::Label,
        });
        Ok(())
    }

    /// Attributes in the namespace of SPEKE 1.0, and declarations of it.
    fn leftover_attributes(&mut self, tag: &Tag<'_>) -> Result<(), SpekeError> {
        for attribute in tag.element.attributes {
            let declares = attribute.namespace == XMLNS && attribute_value(attribute.value).is_ok_and(|it| it == SPEKE);
            if declares || attribute.namespace == SPEKE {
                self.leftover(tag.shift(&attribute.span))?;
            }
        }
        Ok(())
    }

    fn leftover(&mut self, range: Range<usize>) -> Result<(), SpekeError> {
        limit(self.model.leftovers.len(), limits::SYSTEMS, "elements and attributes of SPEKE 1.0")?;
        self.model.leftovers.push(range);
        Ok(())
    }
}

fn close(place: Option<&mut Place>, tag: Option<Range<usize>>) {
    if let Some(place) = place {
        place.end = tag;
    }
}

const fn limit(count: usize, most: usize, place: &'static str) -> Result<(), SpekeError> {
    if count < most { Ok(()) } else { Err(SpekeError::TooMany { place, most }) }
}
