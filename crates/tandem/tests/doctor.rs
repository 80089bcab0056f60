//! `tandem doctor` and what is made ready for a person at amoCRM, by the real binary.

#![allow(clippy::unwrap_used, reason = "where a test panics, it fails")]

mod support;

use serde_json::Value;
use support::{
    shop::Shop,
    tandem::{Tandem, free_address},
};
use tandem_gateway::DropPending;

/// What `tandem doctor --json` found, by section and step, and its exit code.
async fn examined(tandem: &Tandem) -> anyhow::Result<(Option<i32>, Value)> {
    let said = tandem.command().args(["doctor", "--json"]).output().await?;
    let report = serde_json::from_slice(&said.stdout)?;
    Ok((said.status.code(), report))
}

fn finding<'a>(report: &'a Value, about: &str, step: &str) -> &'a Value {
    let sections = report["sections"].as_array().unwrap();
    let section = sections.iter().find(|section| section["about"].as_str().unwrap().starts_with(about));
    let findings = section.unwrap_or_else(|| panic!("no section {about}: {report}"))["findings"].as_array();
    findings
        .unwrap()
        .iter()
        .find(|finding| finding["step"] == step)
        .unwrap_or_else(|| panic!("no step {step} of {about}: {report}"))
}

#[tokio::test]
async fn the_doctor_finds_everything_well_and_says_what_is_not() -> anyhow::Result<()> {
    let mut shop = Shop::adopted(DropPending::Ignore).await?;
    let (code, report) = examined(&shop.tandem).await?;
    assert_eq!(code, Some(0), "{report}");
    for (about, step) in
        [("tandem", "database"), ("tandem", "public address"), ("bot ", "updates"), ("bot ", "route amocrm")]
    {
        assert_eq!(finding(&report, about, step)["state"], "good", "{about} {step}: {report}");
    }

    // Without a service nobody listens; that is no illness.
    shop.tandem.stop().await?;
    let (code, report) = examined(&shop.tandem).await?;
    assert_eq!((code, &finding(&report, "tandem", "public address")["state"]), (Some(0), &"skipped".into()));

    // An address where nobody is, and one where somebody else answers.
    let nobody = free_address().await?;
    for (address, words) in [(nobody, "cannot be reached"), (shop.tandem.gateway(), "something else")] {
        shop.tandem.set(format!("server.public_url=http://{address}"));
        shop.tandem.revive().await?;
        let (code, report) = examined(&shop.tandem).await?;
        let found = finding(&report, "tandem", "public address");
        assert_eq!((code, &found["state"]), (Some(1), &"bad".into()), "{report}");
        assert!(found["sentence"].as_str().unwrap().contains(words), "{found}");
        shop.tandem.stop().await?;
    }

    let refused = shop.tandem.command().args(["doctor", "--probe", "amocrm"]).output().await?;
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("There is no connection to amocrm"));
    Ok(())
}

#[tokio::test]
async fn the_request_for_a_channel_is_filled_in_in_both_languages() -> anyhow::Result<()> {
    let shop = Shop::open().await?;
    for (lang, words) in [("ru", "Просим зарегистрировать"), ("en", "Please register")]
    {
        let asked =
            ["amocrm", "channel-request", "--lang", lang, "--account", "31000001", "--email", "a@b.example"];
        let said = shop.tandem.command().args(asked).output().await?;
        let text = String::from_utf8(said.stdout)?;
        assert!(said.status.success() && text.starts_with(words), "{text}");
        let hook = format!("{}/hooks/amocrm/", shop.tandem.public_url());
        for filled in [hook.as_str(), ":scope_id", "31000001", "a@b.example"] {
            assert!(text.contains(filled), "{filled} is missing: {text}");
        }
    }
    let wrong = shop.tandem.command().args(["amocrm", "channel-request", "--name", "4ever"]).output().await?;
    assert_eq!(wrong.status.code(), Some(2));
    Ok(())
}
