//! A domain's names, its document and the words about it: titles, descriptions, metadata, native formats.

use crate::arguments::Arguments;
use crate::document;
use crate::dropped;
use crate::editing::{self, Edit};
use crate::failure::{Context, Done, Failure};
use crate::lookup::{self, By};
use crate::shell::Shell;
use crate::table::*;
use api::{Code, Uuid};
use rpc::remote::*;

const DESCRIPTION: i32 = 0;
const TITLE: i32 = 1;
const ELEMENT: i32 = 2;
const XML_SECURE: u32 = 1;
const XML_INACTIVE: u32 = 2;
const XML_UPDATE_CPU: u32 = 4;
const XML_MIGRATABLE: u32 = 8;
const DEFINE_VALIDATE: u32 = 1;

const XPATH: Opt = text("xpath", "only the parts that this XPath expression finds").by_name();
const WRAP: Opt = flag("wrap", "put the parts found into one element");
const FORMAT: Opt = need("format", "the other format's name, as lxc-tools").of(Values::OneOf(&["lxc-tools"]));

pub const COMMANDS: &[Command] = &[
    Command::new(
        "desc",
        "show or change a domain's description or title",
        &[
            DOMAIN,
            LIVE,
            CONFIG,
            CURRENT,
            flag("title", "the title, not the description"),
            flag("edit", "change it in an editor"),
            words("new-desc", "its new text"),
        ],
        desc,
    ),
    Command::new(
        "domid",
        "a domain's id",
        &[need("domain", "the domain's name or UUID").of(Values::Domains(0))],
        domid,
    ),
    Command::new("domname", "a domain's name", &[need("domain", "the domain's id or UUID")], domname),
    Command::new(
        "domuuid",
        "a domain's UUID",
        &[need("domain", "the domain's name or id").of(Values::Domains(0))],
        domuuid,
    ),
    Command::new(
        "domxml-from-native",
        "a domain's document, made from another format",
        &[FORMAT, need("config", "file in that format").of(Values::Files)],
        from_native,
    ),
    Command::new(
        "domxml-to-native",
        "another format, made from a domain's document",
        &[
            FORMAT,
            text("domain", "the domain's name, id or UUID").of(Values::Domains(0)),
            text("xml", "file with a document").of(Values::Files),
        ],
        to_native,
    ),
    Command::new(
        "dumpxml",
        "a domain's document",
        &[
            DOMAIN,
            flag("inactive", "as it will be started next, not as it runs"),
            flag("security-info", "with its secrets"),
            flag("update-cpu", "with the host's processor filled in"),
            flag("migratable", "as it would be sent to another host"),
            XPATH,
            WRAP,
        ],
        dumpxml,
    ),
    Command::new(
        "edit",
        "change a domain's document in an editor",
        &[domain(0), flag("skip-validate", "do not hold it against the schema")],
        edit,
    )
    .more("The editor is $VISUAL, $EDITOR or vi. The changes hold from the next start on."),
    Command::new(
        "metadata",
        "show or change the element that an application keeps with a domain",
        &[
            DOMAIN,
            need("uri", "the element's namespace"),
            LIVE,
            CONFIG,
            CURRENT,
            flag("edit", "change it in an editor"),
            text("key", "prefix of the namespace"),
            text("set", "the new element"),
            flag("remove", "take it away"),
        ],
        metadata,
    ),
];

fn domid(shell: &mut Shell, arguments: &Arguments) -> Done {
    let domain = lookup::domain_named(shell, arguments.need("domain")?, By::NameOrUuid)?;
    let id = if domain.id == -1 { "-".to_string() } else { domain.id.to_string() };
    shell.value("id", &id)
}

fn domname(shell: &mut Shell, arguments: &Arguments) -> Done {
    let domain = lookup::domain_named(shell, arguments.need("domain")?, By::IdOrUuid)?;
    shell.value("name", &domain.name.to_string_lossy())
}

fn domuuid(shell: &mut Shell, arguments: &Arguments) -> Done {
    let domain = lookup::domain_named(shell, arguments.need("domain")?, By::NameOrId)?;
    shell.value("uuid", &Uuid(domain.uuid).to_string())
}

fn dumpxml(shell: &mut Shell, arguments: &Arguments) -> Done {
    let bits = [
        ("security-info", XML_SECURE),
        ("inactive", XML_INACTIVE),
        ("update-cpu", XML_UPDATE_CPU),
        ("migratable", XML_MIGRATABLE),
    ];
    let flags = bits.iter().filter(|(name, _)| arguments.has(name)).map(|(_, bit)| bit).sum();
    let domain = lookup::domain(shell, arguments)?;
    let xml = lookup::domain_xml(shell, &domain, flags)?;
    print_document(shell, arguments, &xml)
}

/// The whole document, or what `--xpath` finds in it.
pub fn print_document(shell: &Shell, arguments: &Arguments, xml: &str) -> Done {
    match arguments.text("xpath")? {
        None => {
            shell.print(&if shell.json {
                format!("{:#}\n", serde_json::json!({ "xml": xml }))
            } else {
                xml.to_string()
            });
            Ok(())
        }
        Some(path) => {
            let found = document::filtered(xml, path, arguments.has("wrap"))?;
            match shell.json {
                true => shell.print_json(&serde_json::json!({ "xml": found })),
                false => shell.print(&found),
            }
            Ok(())
        }
    }
}

fn edit(shell: &mut Shell, arguments: &Arguments) -> Done {
    let domain = lookup::domain(shell, arguments)?;
    let fetch = |shell: &Shell| Ok(lookup::domain_xml(shell, &domain, XML_SECURE | XML_INACTIVE)?);
    let put = |shell: &Shell, xml: &str, validate: bool| {
        let args = DomainDefineXmlFlagsArgs { xml: xml.into(), flags: if validate { DEFINE_VALIDATE } else { 0 } };
        let defined: DomainDefineXmlFlagsRet = shell.call(Procedure::DomainDefineXmlFlags, &args)?;
        dropped::of_domain(shell, xml);
        Ok(format!("Domain '{}'", defined.dom.name))
    };
    let title = format!("Domain '{}'", domain.name);
    let can_skip_validation = !arguments.has("skip-validate");
    editing::edit(shell, &Edit { title, fetch: &fetch, put: &put, can_skip_validation })
}

fn desc(shell: &mut Shell, arguments: &Arguments) -> Done {
    let impact = arguments.impact()?;
    let domain = lookup::domain(shell, arguments)?;
    let state: DomainGetStateRet =
        shell.call(Procedure::DomainGetState, &DomainGetStateArgs { dom: domain.clone(), flags: 0 })?;
    // Without an option: the running one where it runs.
    let running = state.state != api::DomainState::Shutoff as i32;
    let flags = impact.explicit().unwrap_or(if running { crate::arguments::AFFECT_LIVE } else { 0 });
    let (kind, what) = if arguments.has("title") { (TITLE, "title") } else { (DESCRIPTION, "description") };
    let present = if flags == 3 { crate::arguments::AFFECT_CONFIG } else { flags };
    let given = arguments.words("new-desc");
    let before = match described(shell, &domain, kind, present) {
        // What is there does not matter to who replaces it.
        Err(_) if !given.is_empty() => None,
        other => other?,
    };
    let mut text = match given.is_empty() {
        true => before.clone(),
        false => Some(given.join(" ")),
    };
    if arguments.has("edit") {
        let edited = editing::edit_text(text.as_deref().unwrap_or_default())?;
        let edited = edited.trim_end_matches('\n').to_string();
        if before.as_deref().unwrap_or_default() == edited {
            return shell.done(format!("Domain {what} not changed"));
        }
        text = Some(edited);
    } else if given.is_empty() {
        match before {
            Some(text) if shell.json => shell.value(what, &text)?,
            Some(text) => shell.print(&text),
            None if shell.json => shell.print_json(&serde_json::json!({ what: null })),
            None => shell.say(&format!("No {what} for domain: {}", domain.name)),
        }
        return Ok(());
    }
    let args = DomainSetMetadataArgs {
        dom: domain,
        r#type: kind,
        metadata: text.filter(|text| !text.is_empty()).map(Into::into),
        key: None,
        uri: None,
        flags,
    };
    shell.call::<_, _, ()>(Procedure::DomainSetMetadata, &args).context(format!("Failed to set new domain {what}"))?;
    match shell.json {
        true => shell.done(format!("Domain {what} updated successfully")),
        false => {
            shell.say(&format!("Domain {what} updated successfully"));
            Ok(())
        }
    }
}

fn described(shell: &Shell, domain: &NonnullDomain, kind: i32, flags: u32) -> Result<Option<String>, Failure> {
    let args = DomainGetMetadataArgs { dom: domain.clone(), r#type: kind, uri: None, flags };
    match shell.call(Procedure::DomainGetMetadata, &args) {
        Ok(DomainGetMetadataRet { metadata }) => Ok(Some(metadata.to_string_lossy())),
        Err(error) if error.code == Code::NoDomainMetadata => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn metadata(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.impact()?.flags();
    arguments.exclusive("edit", "set")?;
    arguments.exclusive("remove", "set")?;
    arguments.exclusive("remove", "edit")?;
    let uri = arguments.need("uri")?.to_string();
    let key = arguments.text("key")?.map(str::to_string);
    let set = arguments.text("set")?.map(str::to_string);
    if (set.is_some() || arguments.has("edit")) && key.is_none() {
        return Err(Failure::new("namespace key is required when modifying metadata"));
    }
    let domain = lookup::domain(shell, arguments)?;
    let get = |shell: &Shell| -> api::Result<String> {
        let args =
            DomainGetMetadataArgs { dom: domain.clone(), r#type: ELEMENT, uri: Some(uri.as_str().into()), flags };
        shell
            .call(Procedure::DomainGetMetadata, &args)
            .map(|DomainGetMetadataRet { metadata }| metadata.to_string_lossy())
    };
    let put = |shell: &Shell, element: Option<&str>| -> api::Result<()> {
        let args = DomainSetMetadataArgs {
            dom: domain.clone(),
            r#type: ELEMENT,
            metadata: element.map(Into::into),
            key: key.as_deref().map(Into::into),
            uri: Some(uri.as_str().into()),
            flags,
        };
        shell.call(Procedure::DomainSetMetadata, &args)
    };
    if let Some(element) = set {
        put(shell, Some(&element))?;
        return shell.done("Metadata modified".to_string());
    }
    if arguments.has("remove") {
        put(shell, None)?;
        return shell.done("Metadata removed".to_string());
    }
    if arguments.has("edit") {
        let before = match get(shell) {
            Err(error) if error.code == Code::NoDomainMetadata => String::new(),
            other => other?,
        };
        let edited = editing::edit_text(&before)?;
        if edited == before {
            return shell.done("Metadata not changed".to_string());
        }
        put(shell, Some(&edited))?;
        return shell.done("Metadata modified".to_string());
    }
    shell.document(&get(shell)?)
}

fn from_native(shell: &mut Shell, arguments: &Arguments) -> Done {
    let format = arguments.need("format")?;
    let configuration = lookup::file(arguments.need("config")?)?;
    let (native_format, native_config) = (format.into(), configuration.as_str().into());
    let args = ConnectDomainXmlFromNativeArgs { native_format, native_config, flags: 0 };
    let made: ConnectDomainXmlFromNativeRet = shell.call(Procedure::ConnectDomainXmlFromNative, &args)?;
    shell.print(&made.domain_xml.to_string_lossy());
    dropped::of_configuration(shell, format, &configuration);
    Ok(())
}

fn to_native(shell: &mut Shell, arguments: &Arguments) -> Done {
    arguments.exclusive("domain", "xml")?;
    let format = arguments.need("format")?;
    let domain_xml = match (arguments.text("domain")?, arguments.text("xml")?) {
        (Some(name), _) => {
            let domain = lookup::domain_named(shell, name, By::Anything)?;
            lookup::domain_xml(shell, &domain, XML_SECURE | XML_MIGRATABLE).or_else(|error| match error.code {
                Code::InvalidArg => lookup::domain_xml(shell, &domain, XML_SECURE),
                _ => Err(error),
            })?
        }
        (None, Some(path)) => lookup::file(path)?,
        (None, None) => return Err(Failure::new("need either domain or domain XML")),
    };
    let (native_format, document) = (format.into(), domain_xml.as_str().into());
    let args = ConnectDomainXmlToNativeArgs { native_format, domain_xml: document, flags: 0 };
    let made: ConnectDomainXmlToNativeRet = shell.call(Procedure::ConnectDomainXmlToNative, &args)?;
    let config = made.native_config.to_string_lossy();
    match shell.json {
        true => shell.print_json(&serde_json::json!({ "config": config })),
        false => shell.print(&config),
    }
    dropped::of_conversion(shell, format, &domain_xml);
    Ok(())
}
