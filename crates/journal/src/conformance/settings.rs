//! Configuration.
#![expect(missing_docs, reason = "the names say it")]
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a failed case panics")]

use tandem_model::{BotId, ConnectionId, LaneId};

use super::world::{Engine, World, bot};
use crate::{App, Bot, Document, Revision, Route, SealedSecret, SecretOwner, SettingsChange, SettingsError};

fn document(text: &str) -> Document {
    Document::parse(text.to_owned()).unwrap()
}

fn put_bot(id: i64, text: &str) -> SettingsChange {
    SettingsChange::PutBot(Bot { bot: bot(id), document: document(text) })
}

fn app(bot: BotId, name: &str) -> App {
    App { bot, name: name.to_owned(), lane: LaneId::new(3).ok(), document: document("{}") }
}

fn route(bot: BotId, name: &str, connection: Option<i64>) -> Route {
    let connection = connection.map(|id| ConnectionId::new(id).unwrap());
    Route { bot, name: name.to_owned(), lane: None, connection, document: document("{\"mode\":\"native\"}") }
}

fn put_connection(name: &str, text: &str) -> SettingsChange {
    SettingsChange::PutConnection {
        name: name.to_owned(),
        vendor: "amocrm".to_owned(),
        document: document(text),
    }
}

fn put_secret(owner: SecretOwner) -> SettingsChange {
    SettingsChange::PutSecret {
        owner,
        name: "token".to_owned(),
        secret: SealedSecret::from_bytes(b"sealed".to_vec()),
    }
}

pub async fn settings_are_kept_and_counted<E: Engine>() {
    let mut world = World::<E>::new().await;
    assert_eq!(world.store.revision().await.unwrap(), Revision(0));
    let changes = vec![
        put_bot(5, "{\"name\":\"five\"}"),
        put_bot(3, "[1, 2]"),
        put_connection("shop", "{}"),
        SettingsChange::PutApp(app(bot(5), "second")),
        SettingsChange::PutApp(app(bot(5), "main")),
        SettingsChange::PutRoute(route(bot(5), "crm", Some(1))),
        SettingsChange::PutRoute(route(bot(5), "bare", None)),
    ];
    assert_eq!(world.store.change_settings(None, changes).await.unwrap(), Revision(1));
    let again = vec![put_bot(3, "{\"new\": true}"), put_connection("shop", "{\"limit\":7}")];
    assert_eq!(world.store.change_settings(Some(Revision(1)), again).await.unwrap(), Revision(2));
    world.reopen().await;
    let store = &world.store;
    assert_eq!(store.revision().await.unwrap(), Revision(2));
    let bots = store.list_bots(None, 9).await.unwrap();
    assert_eq!(bots.iter().map(|bot| bot.bot.get()).collect::<Vec<_>>(), [3, 5]);
    assert_eq!(store.list_bots(Some(bot(3)), 9).await.unwrap().len(), 1);
    assert_eq!(store.list_bots(None, 1).await.unwrap().len(), 1);
    let found = store.find_bot(bot(3)).await.unwrap().unwrap();
    assert_eq!(found.document.as_str(), "{\"new\": true}");
    assert_eq!(store.find_bot(bot(4)).await.unwrap(), None);
    assert_eq!(store.list_apps(bot(5)).await.unwrap(), [app(bot(5), "main"), app(bot(5), "second")]);
    let routes = store.list_routes(bot(5)).await.unwrap();
    assert_eq!(routes, [route(bot(5), "bare", None), route(bot(5), "crm", Some(1))]);
    assert!(store.list_routes(bot(3)).await.unwrap().is_empty());
    let connection = store.find_connection("shop".to_owned()).await.unwrap().unwrap();
    assert_eq!((connection.id.get(), connection.document.as_str()), (1, "{\"limit\":7}"));
    assert_eq!(store.list_connections(None, 9).await.unwrap(), std::slice::from_ref(&connection));
    assert!(store.list_connections(Some(connection.id), 9).await.unwrap().is_empty());
    assert_eq!(store.find_connection("none".to_owned()).await.unwrap(), None);
}

pub async fn a_change_on_an_old_revision_is_refused<E: Engine>() {
    let world = World::<E>::new().await;
    world.store.change_settings(Some(Revision(0)), vec![put_bot(1, "{}")]).await.unwrap();
    let error = world.store.change_settings(Some(Revision(0)), vec![put_bot(2, "{}")]).await.unwrap_err();
    assert!(matches!(error, SettingsError::Stale { current: Revision(1) }), "{error:?}");
    assert_eq!(world.store.find_bot(bot(2)).await.unwrap(), None);
}

pub async fn changes_are_made_all_or_none<E: Engine>() {
    let world = World::<E>::new().await;
    let unknown = SecretOwner::Connection(ConnectionId::new(99).unwrap());
    for missing in [
        SettingsChange::PutApp(app(bot(2), "main")),
        SettingsChange::PutRoute(route(bot(2), "crm", None)),
        SettingsChange::PutRoute(route(bot(1), "crm", Some(99))),
        put_secret(unknown),
        put_secret(SecretOwner::App(bot(1), "main".to_owned())),
    ] {
        let changes = vec![put_bot(1, "{}"), put_connection("shop", "{}"), missing];
        let error = world.store.change_settings(None, changes).await.unwrap_err();
        assert!(matches!(error, SettingsError::Missing { .. }), "{error:?}");
        assert_eq!(world.store.find_bot(bot(1)).await.unwrap(), None);
        assert_eq!(world.store.find_connection("shop".to_owned()).await.unwrap(), None);
        assert_eq!(world.store.revision().await.unwrap(), Revision(0));
    }
}

pub async fn what_is_removed_takes_its_secrets_along<E: Engine>() {
    let world = World::<E>::new().await;
    let five = bot(5);
    let connection = ConnectionId::new(1).unwrap();
    let owners = [
        SecretOwner::Bot(five),
        SecretOwner::App(five, "main".to_owned()),
        SecretOwner::App(five, "second".to_owned()),
        SecretOwner::Route(five, "crm".to_owned()),
        SecretOwner::Connection(connection),
    ];
    let mut changes = vec![
        put_bot(5, "{}"),
        put_connection("shop", "{}"),
        SettingsChange::PutApp(app(five, "main")),
        SettingsChange::PutApp(app(five, "second")),
        SettingsChange::PutRoute(route(five, "crm", Some(1))),
    ];
    changes.extend(owners.iter().cloned().map(put_secret));
    world.store.change_settings(None, changes).await.unwrap();
    let has = async |index: usize| {
        let secret = world.store.find_secret(owners[index].clone(), "token".to_owned()).await.unwrap();
        secret.is_some()
    };
    let remove = vec![SettingsChange::RemoveApp(five, "main".to_owned())];
    world.store.change_settings(None, remove).await.unwrap();
    assert_eq!([has(0).await, has(1).await, has(2).await, has(3).await], [true, false, true, true]);
    world.store.change_settings(None, vec![SettingsChange::RemoveBot(five)]).await.unwrap();
    assert_eq!([has(0).await, has(2).await, has(3).await, has(4).await], [false, false, false, true]);
    assert!(world.store.list_apps(five).await.unwrap().is_empty());
    assert!(world.store.list_routes(five).await.unwrap().is_empty());
}

pub async fn a_connection_in_use_stays<E: Engine>() {
    let world = World::<E>::new().await;
    let one = ConnectionId::new(1).unwrap();
    let changes = vec![
        put_bot(5, "{}"),
        put_connection("shop", "{}"),
        SettingsChange::PutRoute(route(bot(5), "crm", Some(1))),
        put_secret(SecretOwner::Connection(one)),
    ];
    world.store.change_settings(None, changes).await.unwrap();
    let remove = SettingsChange::RemoveConnection(one);
    let error = world.store.change_settings(None, vec![remove.clone()]).await.unwrap_err();
    assert!(matches!(&error, SettingsError::InUse { by } if by.contains("crm")), "{error:?}");
    let both = vec![SettingsChange::RemoveRoute(bot(5), "crm".to_owned()), remove];
    world.store.change_settings(None, both).await.unwrap();
    assert_eq!(world.store.find_connection("shop".to_owned()).await.unwrap(), None);
    let secrets = world.store.list_secrets(SecretOwner::Connection(one)).await.unwrap();
    assert!(secrets.is_empty());
    world.store.change_settings(None, vec![put_connection("new", "{}")]).await.unwrap();
    let new = world.store.find_connection("new".to_owned()).await.unwrap().unwrap();
    assert_eq!(new.id.get(), 2, "an id is not given again");
}
