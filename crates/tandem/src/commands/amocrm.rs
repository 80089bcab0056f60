//! `tandem amocrm`: what a person has to do at amoCRM, made ready.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use tandem_amocrm::{Registration, RegistrationLanguage, registration_form};

use crate::{Failure, output::write_out, settings::Settings};

/// What has to be asked of amoCRM's support, made ready
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    ChannelRequest(ChannelRequest),
}

/// Print the filled-in form by which support registers a chat channel
///
/// Copy it into a request to support (docs/amocrm.md). What comes back goes into [connection.channel] of the file for
/// `tandem apply`. What is not given here stays open in the form.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem amocrm channel-request --lang ru --account 31000001 --email admin@example.com
  tandem amocrm channel-request --lang en --public-url https://bots.example.com > request.txt")]
struct ChannelRequest {
    /// The language: ru for amoCRM, en for Kommo
    #[arg(long, value_name = "LANGUAGE", default_value = "ru")]
    lang: Lang,
    /// Where amoCRM reaches Tandem [default: as the settings say]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// What the channel is called, in Latin letters
    #[arg(long, value_name = "NAME", default_value = "Tandem")]
    name: String,
    /// The number of an account that is to use it; may be given more than once
    #[arg(long, value_name = "ID")]
    account: Vec<String>,
    /// Where support writes when something is wrong
    #[arg(long, value_name = "ADDRESS", default_value = "", hide_default_value = true)]
    email: String,
    /// The id of the integration, its `client_uuid`
    #[arg(long, value_name = "UUID", default_value = "", hide_default_value = true)]
    client_id: String,
    /// The code of the integration's widget
    #[arg(long, value_name = "CODE", default_value = "", hide_default_value = true)]
    widget_code: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Lang {
    Ru,
    En,
}

/// Prints it.
pub(crate) fn run(
    arguments: Arguments,
    load: impl FnOnce() -> Result<Settings, Failure>,
) -> Result<ExitCode, Failure> {
    let What::ChannelRequest(asked) = arguments.what;
    let ChannelRequest { lang, public_url, name, account, email, client_id, widget_code } = asked;
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) || !name.is_ascii() {
        return Err(Failure::usage(
            format!("{name:?} cannot be the name of a channel"),
            "Give one in Latin letters that does not begin with a digit: it is shown below contacts' names.",
        ));
    }
    let public_url = match public_url {
        Some(given) => given,
        None => load()?.server.public_url.map(|url| url.to_string()).unwrap_or_default(),
    };
    let registration =
        Registration { service: name, public_url, accounts: account, email, client_id, widget_code };
    let language = match lang {
        Lang::Ru => RegistrationLanguage::Ru,
        Lang::En => RegistrationLanguage::En,
    };
    write_out(&registration_form(&registration, language))?;
    Ok(ExitCode::SUCCESS)
}
