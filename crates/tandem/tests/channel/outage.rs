//! We are away while managers write: amoCRM sends each hook once, so it is looked for in the chats' histories.

use crate::support::{
    channel::{CHANNEL, Desk},
    until,
};

#[tokio::test]
async fn what_managers_wrote_while_we_were_away_arrives_once_each() -> anyhow::Result<()> {
    let mut desk = Desk::open_with_a_chat().await?;
    let first = desk.writes("до").await?;
    desk.status(&first, "delivered").await?;
    desk.shop.tandem.kill().await?;
    let mut missed = Vec::new();
    for text in ["раз", "два", "три"] {
        missed.push(desk.writes(text).await?);
    }
    // Each was sent once, to nobody.
    let failed = async || {
        let hooks = desk.shop.control.get(&format!("/amocrm/channels/{CHANNEL}/hooks")).await?;
        Ok(hooks["hooks"].as_array().unwrap().iter().filter(|hook| hook["state"] == "failed").count())
    };
    until("hooks that nobody took", failed, |count| *count == 3).await?;
    desk.shop.tandem.revive().await?;
    for id in &missed {
        desk.status(id, "delivered").await?;
    }
    desk.shop.client_is_told(0, &["до", "раз", "два", "три"]).await?;
    desk.shop.tandem.kill().await?;
    desk.shop.tandem.revive().await?;
    let last = desk.writes("после").await?;
    desk.status(&last, "delivered").await?;
    assert_eq!(desk.shop.phone().await?, ["до", "раз", "два", "три", "после"]);
    Ok(())
}
