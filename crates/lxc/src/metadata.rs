//! Title, description and the elements that others keep in a domain's document.

use crate::affect::Running;
use crate::driver::Driver;
use crate::object::DomainObject;
use api::{Code, Error, ErrorDomain, Event, Result};
use conf::domain::Domain;
use std::sync::Arc;

/// `virDomainMetadataType`
const DESCRIPTION: i32 = 0;
const TITLE: i32 = 1;
const ELEMENT: i32 = 2;

impl Driver {
    pub fn metadata(&self, object: &DomainObject, kind: i32, uri: Option<&str>, flags: u32) -> Result<String> {
        let (domain, _) = Driver::asked(object, flags)?;
        let found = match kind {
            DESCRIPTION => domain.description.clone(),
            TITLE => domain.title.clone(),
            ELEMENT => domain.metadata.as_ref().and_then(|metadata| metadata.get(uri.unwrap_or_default())),
            other => return Err(unknown_kind(other)),
        };
        found.ok_or_else(|| {
            let words = "Requested metadata element is not present";
            Error::new(ErrorDomain::Domain, Code::NoDomainMetadata, words)
        })
    }

    pub fn set_metadata(
        &self,
        object: &Arc<DomainObject>,
        kind: i32,
        text: Option<&str>,
        key: Option<&str>,
        uri: Option<&str>,
        flags: u32,
    ) -> Result<()> {
        let change = |domain: &mut Domain, _: Option<&Running>| set(domain, kind, text, key, uri);
        self.change_and_tell(object, "set metadata", flags, change, || {
            let uri = uri.filter(|_| kind == ELEMENT).map(str::to_string);
            vec![Event::MetadataChange { domain: object.reference(), kind, uri }]
        })
    }
}

fn set(domain: &mut Domain, kind: i32, text: Option<&str>, key: Option<&str>, uri: Option<&str>) -> Result<()> {
    let plain = text.filter(|text| !text.is_empty()).map(str::to_string);
    match kind {
        DESCRIPTION => domain.description = plain,
        TITLE => domain.title = plain,
        ELEMENT => {
            let mut metadata = domain.metadata.clone().unwrap_or_default();
            metadata.set(uri.unwrap_or_default(), key.unwrap_or_default(), text)?;
            let empty = metadata.entries.is_empty() && metadata.attributes.is_empty();
            domain.metadata = (!empty).then_some(metadata);
        }
        other => return Err(unknown_kind(other)),
    }
    Ok(())
}

fn unknown_kind(kind: i32) -> Error {
    Error::new(ErrorDomain::Domain, Code::InvalidArg, format!("unknown metadata type {kind}"))
}
