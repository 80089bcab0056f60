//! Granting access.

use reqwest::StatusCode;
use tandem_bridge::operations::{Request, Response};
use tandem_journal::SecretOwner;
use url::Url;

use crate::{
    support::assert_no_secret,
    world::{Open, Shop},
};

async fn state(open: &Open) -> String {
    let asked = Request::Authorize { name: "shop".to_owned() };
    let Response::Authorize { url, .. } = open.bridge.perform(asked).await.unwrap() else { panic!() };
    let url = Url::parse(&url).unwrap();
    url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned()
}

#[tokio::test]
async fn a_person_who_was_sent_grants_access_once_and_what_was_granted_is_kept() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    open.is_connected().await;
    let come_back = async |query: String| {
        let answer = shop.stage.http.get(format!("{}/oauth/{query}", open.public)).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    for stranger in
        ["crm".to_owned(), "crm?state=guess&code=1".to_owned(), format!("other?state={}", state(&open).await)]
    {
        assert_eq!(come_back(stranger).await.0, StatusCode::NOT_FOUND);
    }
    let state = state(&open).await;
    let (status, words) = come_back(format!("crm?code=c0de&state={state}&referer=shop")).await;
    assert!(status == StatusCode::OK && words.contains("granted"), "{status} {words}");
    let (status, words) = come_back(format!("crm?code=c0de&state={state}")).await;
    assert!(status == StatusCode::NOT_FOUND && words.contains("authorize"), "once: {status} {words}");
    assert_eq!(shop.crm.granted().len(), 1);
    let kept = open.bridge.vault().get(&SecretOwner::Connection(open.connection), "refresh").await.unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&kept), "token of c0de");
    open.bridge.sync_connections().await.unwrap();
    assert_eq!(shop.crm.opened().len(), 1, "what it gave to be kept does not open it anew");
    assert_no_secret(&open.views(), &["c0de".to_owned()]);
    open.stop().await;
}

#[tokio::test]
async fn a_grant_that_was_denied_says_so_to_the_person() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    let query = format!("crm?error=access_denied&state={}", state(&open).await);
    let answer = shop.stage.http.get(format!("{}/oauth/{query}", open.public)).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    assert!(answer.text().await.unwrap().contains("the account said no"));
    open.stop().await;
}
