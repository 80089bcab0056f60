//! Several accounts whose hooks come to one path, and accounts that do not know yet who they are.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem_bridge::ConnectionState;
use tandem_model::Blame;
use tandem_vendor::FailureKind;

use crate::{
    crm::{Crm, FOR_ALL, SECRET, YOUNG},
    support::until,
    world::{Open, Shop, put_connection, text_of},
};

async fn hook(shop: &Shop, open: &Open, account: &str, mut words: Value) -> StatusCode {
    words["account"] = json!(account);
    shop.post(open, &format!("{FOR_ALL}/x"), Some(SECRET), words.to_string()).await.status()
}

fn state_of(open: &Open, name: &str) -> ConnectionState {
    open.views().into_iter().find(|view| view.name == name).unwrap().state
}

#[tokio::test]
async fn each_account_may_prove_that_a_hook_of_a_shared_path_is_its_own() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    put_connection(&open, "second", "second.crm.example").await;
    let connected = |name| state_of(&open, name) == ConnectionState::Connected;
    until("connections", async || (connected("shop") && connected("second")).then_some(())).await;
    assert_eq!(
        hook(&shop, &open, "third.crm.example", json!({"word": "disabled"})).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(hook(&shop, &open, "second.crm.example", json!({"word": "disabled"})).await, StatusCode::OK);
    assert!(matches!(state_of(&open, "second"), ConnectionState::Disabled { .. }));
    assert_eq!(state_of(&open, "shop"), ConnectionState::Connected, "it was not about this one");
    open.stop().await;
}

#[tokio::test]
async fn a_hook_that_may_be_for_several_accounts_is_found_later_by_the_one_it_was_for() {
    let shop = Shop::with(Crm::named("crm")).await;
    let service = shop.stage.serve().await;
    let names = ["one", "two"].map(|number| format!("{YOUNG}-{number}.crm.example"));
    let connection = put_connection(&service, "shop", &names[0]).await;
    let open = Open { service, connection };
    let bot = shop.bot();
    open.add_bot(&bot).await;
    open.is_connected().await;
    let ours = json!({"ours": format!("tg:{}:7", bot.id())});
    assert_eq!(hook(&shop, &open, &names[0], shop.said("m1", "c1", "one", &ours)).await, StatusCode::OK);
    open.kill().await;

    let later = FailureKind::Later { after: None, blame: Blame::Destination };
    shop.crm.fails_to_connect(100, &later, "nobody answers");
    let open = shop.reopen().await;
    // As long as it is the only one there is nobody else it could be for.
    assert_eq!(hook(&shop, &open, &names[0], shop.said("m2", "c1", "two", &ours)).await, StatusCode::OK);
    put_connection(&open, "second", &names[1]).await;
    let said = shop.said("m3", "c1", "three", &ours);
    assert_eq!(hook(&shop, &open, &names[0], said.clone()).await, StatusCode::SERVICE_UNAVAILABLE);
    shop.crm.did("c1", "m3", "three", shop.now());
    assert_eq!(open.replies(&bot).await.len(), 2);
    shop.crm.can_connect();
    let found = async || Some(open.replies(&bot).await).filter(|replies| replies.len() > 2);
    let replies = shop.stage.in_time("what was for it", found).await;
    assert_eq!(replies.iter().map(text_of).collect::<Vec<_>>(), ["one", "two", "three"]);
    shop.stage
        .in_time("two that know themselves", async || {
            let connected = |name| state_of(&open, name) == ConnectionState::Connected;
            (connected("shop") && connected("second")).then_some(())
        })
        .await;
    assert_eq!(hook(&shop, &open, &names[0], said).await, StatusCode::OK, "now it is known for whom it is");
    assert_eq!(open.replies(&bot).await.len(), 3);
    open.stop().await;
}
