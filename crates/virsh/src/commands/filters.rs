//! Network filters and what they are bound to, where the daemon has a driver for them.

use super::describe::print_document;
use crate::arguments::Arguments;
use crate::editing::{self, Edit};
use crate::failure::{Context, Done, Failure};
use crate::lookup;
use crate::shell::Shell;
use crate::table::*;
use api::Uuid;
use rpc::remote::*;

pub const COMMANDS: &[Command] = &[
    Command::new(
        "nwfilter-define",
        "keep a network filter's document",
        &[FILE, flag("validate", "hold the document against the schema")],
        define,
    ),
    Command::new(
        "nwfilter-dumpxml",
        "a network filter's document",
        &[
            text("nwfilter", "the filter's name or UUID").required(),
            text("xpath", "only the parts that this XPath expression finds").by_name(),
            flag("wrap", "put the parts found into one element"),
        ],
        document,
    ),
    Command::new(
        "nwfilter-edit",
        "change a network filter's document in an editor",
        &[text("nwfilter", "the filter's name or UUID").required()],
        edit,
    ),
    Command::new("nwfilter-list", "the network filters there are", &[], list),
    Command::new(
        "nwfilter-undefine",
        "forget a network filter",
        &[text("nwfilter", "the filter's name or UUID").required()],
        undefine,
    ),
    Command::new(
        "nwfilter-binding-create",
        "bind a network filter to a port",
        &[FILE, flag("validate", "hold the document against the schema")],
        bind,
    ),
    Command::new(
        "nwfilter-binding-delete",
        "take a network filter off a port",
        &[text("binding", "the host device of the port").required()],
        unbind,
    ),
    Command::new(
        "nwfilter-binding-dumpxml",
        "the document of such a binding",
        &[
            text("binding", "the host device of the port").required(),
            text("xpath", "only the parts that this XPath expression finds").by_name(),
            flag("wrap", "put the parts found into one element"),
        ],
        binding_document,
    ),
    Command::new("nwfilter-binding-list", "the bindings of network filters", &[], bindings),
];

fn chosen(shell: &Shell, arguments: &Arguments) -> Result<NonnullNwfilter, Failure> {
    let name = arguments.need("nwfilter")?;
    if let Some(uuid) = Uuid::parse(name).filter(|_| name.len() == 36) {
        let found = shell.call(Procedure::NwfilterLookupByUuid, &NwfilterLookupByUuidArgs { uuid: uuid.0 });
        if let Ok(NwfilterLookupByUuidRet { nwfilter }) = found {
            return Ok(nwfilter);
        }
    }
    shell
        .call(Procedure::NwfilterLookupByName, &NwfilterLookupByNameArgs { name: name.into() })
        .map(|NwfilterLookupByNameRet { nwfilter }| nwfilter)
        .context(format!("failed to get nwfilter '{name}'"))
}

fn keep(shell: &Shell, xml: String, validate: bool) -> api::Result<NonnullNwfilter> {
    let xml = xml.into();
    match validate {
        true => shell
            .call(Procedure::NwfilterDefineXmlFlags, &NwfilterDefineXmlFlagsArgs { xml, flags: 1 })
            .map(|NwfilterDefineXmlFlagsRet { nwfilter }| nwfilter),
        false => shell
            .call(Procedure::NwfilterDefineXml, &NwfilterDefineXmlArgs { xml })
            .map(|NwfilterDefineXmlRet { nwfilter }| nwfilter),
    }
}

fn define(shell: &mut Shell, arguments: &Arguments) -> Done {
    let path = arguments.need("file")?;
    let filter = keep(shell, lookup::file(path)?, arguments.has("validate"))
        .context(format!("Failed to define network filter from {path}"))?;
    shell.done(format!("Network filter {} defined from {path}", filter.name))
}

fn undefine(shell: &mut Shell, arguments: &Arguments) -> Done {
    let nwfilter = chosen(shell, arguments)?;
    let name = nwfilter.name.to_string_lossy();
    shell
        .act(Procedure::NwfilterUndefine, &NwfilterUndefineArgs { nwfilter })
        .context(format!("Failed to undefine network filter {name}"))?;
    shell.done(format!("Network filter {name} undefined"))
}

fn xml_of(shell: &Shell, nwfilter: &NonnullNwfilter) -> Result<String, Failure> {
    let args = NwfilterGetXmlDescArgs { nwfilter: nwfilter.clone(), flags: 0 };
    let got: NwfilterGetXmlDescRet = shell.call(Procedure::NwfilterGetXmlDesc, &args)?;
    Ok(got.xml.to_string_lossy())
}

fn document(shell: &mut Shell, arguments: &Arguments) -> Done {
    let nwfilter = chosen(shell, arguments)?;
    print_document(shell, arguments, &xml_of(shell, &nwfilter)?)
}

fn edit(shell: &mut Shell, arguments: &Arguments) -> Done {
    let nwfilter = chosen(shell, arguments)?;
    let fetch = |shell: &Shell| xml_of(shell, &nwfilter);
    let put =
        |shell: &Shell, xml: &str, _: bool| Ok(format!("Network filter {}", keep(shell, xml.to_string(), false)?.name));
    let title = format!("Network filter {}", nwfilter.name);
    editing::edit(shell, &Edit { title, fetch: &fetch, put: &put, can_skip_validation: false })
}

fn list(shell: &mut Shell, _: &Arguments) -> Done {
    let args = ConnectListAllNwfiltersArgs { need_results: 1, flags: 0 };
    let mut listed: ConnectListAllNwfiltersRet =
        shell.call(Procedure::ConnectListAllNwfilters, &args).context("Failed to list network filters")?;
    listed.filters.sort_by_key(|filter| filter.name.to_string_lossy());
    let row = |filter: &NonnullNwfilter| vec![Uuid(filter.uuid).to_string(), filter.name.to_string_lossy()];
    shell.table(&["UUID", "Name"], &listed.filters.iter().map(row).collect::<Vec<_>>())
}

fn binding(shell: &Shell, arguments: &Arguments) -> Result<NonnullNwfilterBinding, Failure> {
    let name = arguments.need("binding")?;
    shell
        .call(Procedure::NwfilterBindingLookupByPortDev, &NwfilterBindingLookupByPortDevArgs { name: name.into() })
        .map(|NwfilterBindingLookupByPortDevRet { nwfilter }| nwfilter)
        .context(format!("failed to get nwfilter binding '{name}'"))
}

fn bind(shell: &mut Shell, arguments: &Arguments) -> Done {
    let path = arguments.need("file")?;
    let flags = arguments.bits(&[("validate", 1)]);
    let args = NwfilterBindingCreateXmlArgs { xml: lookup::file(path)?.into(), flags };
    let made: NwfilterBindingCreateXmlRet = shell
        .call(Procedure::NwfilterBindingCreateXml, &args)
        .context(format!("Failed to create network filter from {path}"))?;
    shell.done(format!("Network filter binding on {} created from {path}", made.nwfilter.portdev))
}

fn unbind(shell: &mut Shell, arguments: &Arguments) -> Done {
    let nwfilter = binding(shell, arguments)?;
    let name = nwfilter.portdev.to_string_lossy();
    shell
        .act(Procedure::NwfilterBindingDelete, &NwfilterBindingDeleteArgs { nwfilter })
        .context(format!("Failed to delete network filter binding {name}"))?;
    shell.done(format!("Network filter binding {name} deleted"))
}

fn binding_document(shell: &mut Shell, arguments: &Arguments) -> Done {
    let nwfilter = binding(shell, arguments)?;
    let args = NwfilterBindingGetXmlDescArgs { nwfilter, flags: 0 };
    let got: NwfilterBindingGetXmlDescRet = shell.call(Procedure::NwfilterBindingGetXmlDesc, &args)?;
    print_document(shell, arguments, &got.xml.to_string_lossy())
}

fn bindings(shell: &mut Shell, _: &Arguments) -> Done {
    let args = ConnectListAllNwfilterBindingsArgs { need_results: 1, flags: 0 };
    let mut listed: ConnectListAllNwfilterBindingsRet = shell
        .call(Procedure::ConnectListAllNwfilterBindings, &args)
        .context("Failed to list network filter bindings")?;
    listed.bindings.sort_by_key(|binding| binding.portdev.to_string_lossy());
    let row = |binding: &NonnullNwfilterBinding| {
        vec![binding.portdev.to_string_lossy(), binding.filtername.to_string_lossy()]
    };
    shell.table(&["Port Dev", "Filter"], &listed.bindings.iter().map(row).collect::<Vec<_>>())
}
