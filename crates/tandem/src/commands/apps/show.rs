//! Apps as a person reads them.

use std::{fmt::Write as _, time::Duration};

use tandem_bridge::operations::{AppToken, AppView};
use tandem_gateway::AppLimits;
use tandem_model::Timestamp;

use crate::output::{Table, words};

pub(super) fn list(apps: &[AppView], now: Timestamp) -> String {
    if apps.is_empty() {
        return "There are no apps. `tandem adopt` makes the first, `tandem apps add NAME` another.\n"
            .to_owned();
    }
    let heading = [
        "bot",
        "app",
        "gets updates by",
        "waiting",
        "oldest",
        "token",
        "drop pending",
        "backlog",
        "while manager talks",
        "kinds",
    ];
    let mut table = Table::new(heading);
    for app in apps {
        let delivery = match &app.webhook_host {
            Some(host) => format!("{} ({host})", app.delivery),
            None => app.delivery.clone(),
        };
        let waiting = app.waiting.map(|lag| format!("{}{}", if lag.counted { "" } else { "≤ " }, lag.events));
        let oldest = app.waiting.and_then(|lag| lag.oldest).map(|at| words::when(at, now));
        table.row([
            app.bot.to_string(),
            app.name.clone(),
            delivery,
            waiting.unwrap_or_default(),
            oldest.unwrap_or_default(),
            if app.has_token { "its own" } else { "the bot's" }.to_owned(),
            words::word(&app.drop_pending),
            words::span(Duration::from_secs(app.backlog_secs)),
            words::word(&app.while_manager_talks),
            app.kinds.as_ref().map_or_else(|| "default".to_owned(), |kinds| kinds.join(",")),
        ]);
    }
    let mut text = table.render();
    for app in apps {
        let said = particulars(app);
        if !said.is_empty() {
            let _ = write!(text, "\n{}:\n", app.name);
            for line in said {
                let _ = writeln!(text, "  {line}");
            }
        }
    }
    text
}

/// What most apps do not have, a line each.
fn particulars(app: &AppView) -> Vec<String> {
    let mut lines = Vec::new();
    if !app.owns.is_empty() {
        let owned: Vec<_> = app.owns.iter().map(|question| question.as_str()).collect();
        lines.push(format!("alone answers {}", owned.join(", ")));
    }
    if !app.claims.is_empty() {
        lines.push(format!("claims presses that begin with {}", app.claims.join(" ")));
    }
    if !app.sees.is_empty() {
        lines.push("is shown what other apps send".to_owned());
    }
    let AppLimits { methods, chats } = &app.limits;
    if let Some(methods) = methods {
        lines.push(format!("may call {}", names(methods)));
    }
    if let Some(chats) = chats {
        lines.push(format!("may use the chats {}", names(chats)));
    }
    lines
}

fn names<T: ToString>(rules: impl IntoIterator<Item = T>) -> String {
    let names: Vec<_> = rules.into_iter().map(|rule| rule.to_string()).collect();
    if names.is_empty() { "(none)".to_owned() } else { names.join(", ") }
}

pub(super) fn token(new: &AppToken) -> String {
    let AppToken { app, token, libraries } = new;
    format!(
        "App {} has this token, shown this once:\n\n  {}\n\n{}",
        app.name,
        token.expose(),
        crate::commands::library_lines(libraries)
    )
}
