//! Secrets that a daemon keeps, where it has a driver for them.

use super::describe::print_document;
use super::events;
use crate::arguments::Arguments;
use crate::failure::{Context, Done, Failure};
use crate::lookup;
use crate::shell::Shell;
use crate::table::*;
use api::Uuid;
use rpc::remote::*;

pub const COMMANDS: &[Command] = &[
    Command::new(
        "secret-define",
        "keep a secret's document",
        &[FILE, flag("validate", "hold the document against the schema")],
        define,
    ),
    Command::new(
        "secret-dumpxml",
        "a secret's document",
        &[
            text("secret", "the secret's UUID").required(),
            text("xpath", "only the parts that this XPath expression finds").by_name(),
            flag("wrap", "put the parts found into one element"),
        ],
        document,
    ),
    Command::new(
        "secret-event",
        "wait for events of secrets",
        &[
            text("secret", "the secret's UUID"),
            text("event", "of this kind"),
            flag("loop", "go on until the time is over or an interrupt"),
            number("timeout", "wait so many seconds at most"),
            flag("list", "list the kinds of events"),
            flag("timestamp", "begin each line with the time"),
        ],
        event,
    ),
    Command::new(
        "secret-get-value",
        "show a secret",
        &[text("secret", "the secret's UUID").required(), flag("plain", "as it is")],
        get_value,
    ),
    Command::new(
        "secret-list",
        "the secrets there are",
        &[
            flag("ephemeral", "ephemeral"),
            flag("no-ephemeral", "no ephemeral"),
            flag("private", "private"),
            flag("no-private", "no private"),
        ],
        list,
    ),
    Command::new(
        "secret-set-value",
        "set a secret",
        &[
            text("secret", "the secret's UUID").required(),
            text("file", "the file").of(Values::Files),
            flag("plain", "as it is"),
            text("base64", "base64"),
        ],
        set_value,
    ),
    Command::new("secret-undefine", "forget a secret", &[text("secret", "the secret's UUID").required()], undefine),
];

fn find(shell: &Shell, text: &str) -> Result<NonnullSecret, Failure> {
    let failed = format!("failed to get secret '{text}'");
    let Some(uuid) = Uuid::parse(text) else {
        let why = "uuidstr in virSecretLookupByUUIDString must be a valid UUID";
        return Err(Failure::several(vec![failed, why.to_string()]));
    };
    shell
        .call(Procedure::SecretLookupByUuid, &SecretLookupByUuidArgs { uuid: uuid.0 })
        .map(|SecretLookupByUuidRet { secret }| secret)
        .context(failed)
}

fn chosen(shell: &Shell, arguments: &Arguments) -> Result<NonnullSecret, Failure> {
    find(shell, arguments.need("secret")?)
}

fn define(shell: &mut Shell, arguments: &Arguments) -> Done {
    let path = arguments.need("file")?;
    let args = SecretDefineXmlArgs { xml: lookup::file(path)?.into(), flags: arguments.bits(&[("validate", 1)]) };
    let kept: SecretDefineXmlRet =
        shell.call(Procedure::SecretDefineXml, &args).context(format!("Failed to set attributes from {path}"))?;
    shell.done(format!("Secret {} created", Uuid(kept.secret.uuid)))
}

fn document(shell: &mut Shell, arguments: &Arguments) -> Done {
    let secret = chosen(shell, arguments)?;
    let got: SecretGetXmlDescRet =
        shell.call(Procedure::SecretGetXmlDesc, &SecretGetXmlDescArgs { secret, flags: 0 })?;
    print_document(shell, arguments, &got.xml.to_string_lossy())
}

fn undefine(shell: &mut Shell, arguments: &Arguments) -> Done {
    let secret = chosen(shell, arguments)?;
    let uuid = Uuid(secret.uuid);
    shell
        .act(Procedure::SecretUndefine, &SecretUndefineArgs { secret })
        .context(format!("Failed to delete secret {uuid}"))?;
    shell.done(format!("Secret {uuid} deleted"))
}

fn list(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.bits(&[("ephemeral", 1), ("no-ephemeral", 2), ("private", 4), ("no-private", 8)]);
    let args = ConnectListAllSecretsArgs { need_results: 1, flags };
    let mut listed: ConnectListAllSecretsRet =
        shell.call(Procedure::ConnectListAllSecrets, &args).context("Failed to list secrets")?;
    listed.secrets.sort_by_key(|secret| secret.uuid);
    let kinds = ["", "volume", "ceph", "iscsi", "tls", "vtpm"];
    let row = |secret: &NonnullSecret| {
        let uuid = Uuid(secret.uuid).to_string();
        match events::index(&kinds, secret.usage_type) {
            "" => vec![uuid, "Unused".to_string()],
            kind => vec![uuid, format!("{kind} {}", secret.usage_id)],
        }
    };
    shell.table(&["UUID", "Usage"], &listed.secrets.iter().map(row).collect::<Vec<_>>())
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn to_base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for part in bytes.chunks(3) {
        let at = |index: usize| u32::from(part.get(index).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let letter = ALPHABET.get((word >> (18 - 6 * place) & 63) as usize).copied().unwrap_or(b'A');
            out.push(if place <= part.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut word, mut bits) = (0u32, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        let value = ALPHABET.iter().position(|letter| *letter == byte)? as u32;
        word = word << 6 | value;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((word >> bits) as u8);
            word &= (1 << bits) - 1;
        }
    }
    Some(out)
}

fn get_value(shell: &mut Shell, arguments: &Arguments) -> Done {
    let secret = chosen(shell, arguments)?;
    let got: SecretGetValueRet = shell.call(Procedure::SecretGetValue, &SecretGetValueArgs { secret, flags: 0 })?;
    match arguments.has("plain") {
        true => shell.print(&String::from_utf8_lossy(&got.value)),
        false => shell.print(&to_base64(&got.value)),
    }
    Ok(())
}

fn set_value(shell: &mut Shell, arguments: &Arguments) -> Done {
    arguments.exclusive("file", "base64")?;
    let secret = chosen(shell, arguments)?;
    let text = match (arguments.text("base64")?, arguments.text("file")?) {
        (Some(text), _) => text.to_string(),
        (None, Some(path)) => lookup::file(path)?,
        (None, None) => return Err(Failure::new("Input secret value is missing")),
    };
    let value = match arguments.has("plain") {
        true => text.into_bytes(),
        false => from_base64(&text).ok_or_else(|| Failure::new("Invalid base64 data"))?,
    };
    shell
        .act(Procedure::SecretSetValue, &SecretSetValueArgs { secret, value, flags: 0 })
        .context("Failed to set secret value")?;
    shell.done("Secret value set".to_string())
}

fn event(shell: &mut Shell, arguments: &Arguments) -> Done {
    let kinds = ["lifecycle", "value-changed"];
    let Some((event_id, deadline)) = events::asked(shell, arguments, &kinds)? else { return Ok(()) };
    let secret = arguments.text("secret")?.map(|text| find(shell, text)).transpose()?;
    let args = ConnectSecretEventRegisterAnyArgs { event_id, secret };
    let ConnectSecretEventRegisterAnyRet { callback_id } =
        shell.call(Procedure::ConnectSecretEventRegisterAny, &args)?;
    let outcome = events::wait(shell, arguments, deadline, |message| {
        let tell =
            |uuid: [u8; 16], kind, detail: &str| events::named("secret", &Uuid(uuid).to_string().into(), kind, detail);
        match Procedure::from_number(message.header.procedure)? {
            Procedure::SecretEventLifecycle => {
                let told = message.decode::<SecretEventLifecycleMsg>().ok()?;
                Some(tell(told.secret.uuid, "lifecycle", events::index(&["Defined", "Undefined"], told.event)))
            }
            Procedure::SecretEventValueChanged => {
                let told = message.decode::<SecretEventValueChangedMsg>().ok()?;
                Some(tell(told.secret.uuid, "value-changed", ""))
            }
            _ => None,
        }
    });
    _ = shell.act(Procedure::ConnectSecretEventDeregisterAny, &ConnectSecretEventDeregisterAnyArgs { callback_id });
    outcome
}

#[cfg(test)]
mod tests {
    use super::{from_base64, to_base64};

    #[test]
    fn base64_both_ways() {
        for (plain, coded) in [("", ""), ("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj"), ("abcd", "YWJjZA==")] {
            assert_eq!(to_base64(plain.as_bytes()), coded);
            assert_eq!(from_base64(coded).unwrap(), plain.as_bytes());
        }
        assert_eq!(from_base64("!"), None);
    }
}
