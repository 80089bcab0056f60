//! `tandem connections`: accounts at CRMs, how they are, and what to do.

use std::{fmt::Write as _, process::ExitCode};

use clap::{Args, Subcommand};
use tandem_bridge::{
    ConnectionView,
    operations::{Request, Response},
};

use super::ask::ask;
use crate::{
    Failure,
    output::{Format, Table, words},
    settings::Settings,
};

/// The accounts at CRMs that Tandem speaks to, and what is wrong with them
///
/// A connection is described in a file as [[connection]] and made by `tandem apply`. Routes of several bots can share
/// it. Tandem connects it by itself, at the start and again whenever that is needed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem connections
  tandem connections show shop
  tandem connections connect shop     After the integration was installed again
  tandem connections authorize shop   Prints where an administrator grants access
  tandem connections --json | jq -r '.connections[] | select(.sentence) | .name'")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List them (what happens without a word)
    List,
    /// One of them
    Show {
        /// Its name
        name: String,
    },
    /// Connect it now, also after it was switched off in the account
    Connect {
        /// Its name
        name: String,
    },
    /// Print the address where an administrator of the account grants access (OAuth)
    Authorize {
        /// Its name
        name: String,
    },
    /// Forget it with its secrets; refused while a route uses it
    Remove {
        /// Its name
        name: String,
    },
}

/// Asks and prints.
pub(crate) async fn run(arguments: Arguments, settings: Settings) -> Result<ExitCode, Failure> {
    let Arguments { command, format } = arguments;
    let request = match command.unwrap_or(Command::List) {
        Command::List => Request::Connections,
        Command::Show { name } => Request::Connection { name },
        Command::Connect { name } => Request::Connect { name },
        Command::Authorize { name } => Request::Authorize { name },
        Command::Remove { name } => Request::RemoveConnection { name },
    };
    let response = ask(&settings, format, request).await?;
    format.print(&response, || match &response {
        Response::Connections { connections } => in_words(connections),
        Response::Connection(connection) => in_words(std::slice::from_ref(connection)),
        Response::Authorize { connection, url, until } => format!(
            "Open this as an administrator of the account and allow access; it holds once, until {}:\n\n  {url}\n\n\
             Afterwards `tandem connections show {connection}` says how it went.\n",
            words::date(*until)
        ),
        Response::ConnectionRemoved { name } => format!("Connection {name} is gone, with its secrets.\n"),
        other => super::unexpected(other),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A table, and below it what a person should know.
fn in_words(connections: &[ConnectionView]) -> String {
    if connections.is_empty() {
        return "There are no connections yet. Describe one in a file as [[connection]] and run `tandem apply`.\n"
            .to_owned();
    }
    let mut table = Table::new(["connection", "vendor", "account", "state", "hooks", "last hook", "routes"]);
    for connection in connections {
        table.row([
            connection.name.clone(),
            connection.vendor.clone(),
            connection.account.clone().unwrap_or_default(),
            connection.state.as_str().to_owned(),
            connection.hooks.to_string(),
            connection.last_hook_at.map(words::date).unwrap_or_default(),
            connection.routes.join(","),
        ]);
    }
    let mut text = table.render();
    for connection in connections {
        if let Some(sentence) = &connection.sentence {
            let _ = write!(text, "\n! {}: {sentence}\n", connection.name);
        }
        if let Some(since) = connection.missed_since {
            let _ = write!(
                text,
                "\n{}: what managers wrote since {} may have been missed and is looked for.\n",
                connection.name,
                words::date(since)
            );
        }
        if connection.unknown_chats > 0 {
            let _ = write!(
                text,
                "\n{}: of {} chats nobody knows whose they are; what managers say there ends no bot's talk until their \
                 clients write again. The latest:\n",
                connection.name, connection.unknown_chats
            );
            for chat in &connection.unknown {
                let contact = chat.contact.as_deref().unwrap_or("not told");
                let _ = writeln!(
                    text,
                    "  contact {contact}, chat {}, last at {}, heard from managers: {}",
                    chat.chat,
                    words::date(chat.last_at),
                    chat.managers
                );
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use tandem_bridge::ConnectionState;
    use tandem_model::Timestamp;

    use super::*;

    #[test]
    fn what_is_wrong_stands_below_the_table() {
        let view = ConnectionView {
            name: "shop".to_owned(),
            vendor: "amocrm".to_owned(),
            account: Some("shop.amocrm.ru".to_owned()),
            state: ConnectionState::Disabled { since: Timestamp::from_secs(1_000_000) },
            sentence: Some("disabled: connect again".to_owned()),
            routes: vec!["@shop_bot/amocrm".to_owned()],
            hooks: 3,
            last_hook_at: Some(Timestamp::from_secs(1_000_000)),
            missed_since: None,
            unknown_chats: 0,
            unknown: Vec::new(),
        };
        insta::assert_snapshot!(in_words(&[view]), @"
        CONNECTION  VENDOR  ACCOUNT         STATE     HOOKS  LAST HOOK                ROUTES
        shop        amocrm  shop.amocrm.ru  disabled  3      1970-01-12 13:46:40 UTC  @shop_bot/amocrm

        ! shop: disabled: connect again
        ");
    }
}
