//! Rows of `bots`, `apps`, `routes` and `connections`, and the revision that counts their changes.

use rusqlite::{Connection as Database, OptionalExtension, Row, params};
use tandem_model::{BotId, ConnectionId, LaneId};

use super::{
    fault::{Abort, Fault},
    secrets,
    sums::Sum,
    writing::Writing,
};
use crate::{App, Bot, Connection, Document, Revision, Route, SecretOwner, SettingsChange, SettingsError};

const REVISION: &str = "settings";
const CONNECTIONS: &str = "connections";

fn counter(database: &Database, name: &str) -> Result<i64, Fault> {
    let row: Option<(i64, i64)> = database
        .prepare_cached("SELECT value, sum FROM counters WHERE name = ?1")?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((value, stored)) = row else { return Ok(0) };
    Sum::of("counters").text(name).int(value).verify(stored, || format!("counter {name}"))?;
    Ok(value)
}

fn count(database: &Database, name: &str) -> Result<i64, Fault> {
    let value = counter(database, name)? + 1;
    database
        .prepare_cached("INSERT OR REPLACE INTO counters (name, value, sum) VALUES (?1, ?2, ?3)")?
        .execute(params![name, value, Sum::of("counters").text(name).int(value).done()])?;
    Ok(value)
}

pub(super) fn revision(database: &Database) -> Result<Revision, Fault> {
    counter(database, REVISION).map(Revision)
}

/// Makes all changes or none; the transaction is shared with others, so "none" takes a savepoint.
pub(super) fn change(
    writing: &Writing<'_>,
    expected: Option<Revision>,
    changes: &[SettingsChange],
) -> Result<Revision, Abort<SettingsError>> {
    let database = writing.connection;
    let current = revision(database)?;
    if expected.is_some_and(|expected| expected != current) {
        return Err(Abort::Refuse(SettingsError::Stale { current }));
    }
    database.prepare_cached("SAVEPOINT settings")?.execute([])?;
    let result = changes.iter().try_for_each(|change| change_one(database, change));
    if matches!(result, Err(Abort::Refuse(_))) {
        database.prepare_cached("ROLLBACK TO settings")?.execute([])?;
    }
    database.prepare_cached("RELEASE settings")?.execute([])?;
    result?;
    Ok(Revision(count(database, REVISION)?))
}

fn missing(what: impl Into<String>) -> Abort<SettingsError> {
    Abort::Refuse(SettingsError::Missing { what: what.into() })
}

fn change_one(database: &Database, change: &SettingsChange) -> Result<(), Abort<SettingsError>> {
    match change {
        SettingsChange::PutBot(bot) => put_bot(database, bot)?,
        SettingsChange::RemoveBot(bot) => remove_bot(database, *bot)?,
        SettingsChange::PutApp(app) => {
            must_have_bot(database, app.bot)?;
            put_app(database, app)?;
        }
        SettingsChange::RemoveApp(bot, name) => {
            secrets::remove_all(database, &SecretOwner::App(*bot, name.clone()))?;
            database
                .prepare_cached("DELETE FROM apps WHERE bot = ?1 AND name = ?2")?
                .execute(params![bot.get(), name])?;
        }
        SettingsChange::PutRoute(route) => {
            must_have_bot(database, route.bot)?;
            if let Some(connection) = route.connection
                && !exists(database, &SecretOwner::Connection(connection))?
            {
                return Err(missing(format!("connection {connection}")));
            }
            put_route(database, route)?;
        }
        SettingsChange::RemoveRoute(bot, name) => {
            secrets::remove_all(database, &SecretOwner::Route(*bot, name.clone()))?;
            database
                .prepare_cached("DELETE FROM routes WHERE bot = ?1 AND name = ?2")?
                .execute(params![bot.get(), name])?;
        }
        SettingsChange::PutConnection { name, vendor, document } => {
            put_connection(database, name, vendor, document)?;
        }
        SettingsChange::RemoveConnection(connection) => remove_connection(database, *connection)?,
        SettingsChange::PutSecret { owner, name, secret } => {
            if !exists(database, owner)? {
                return Err(missing(owner.to_string()));
            }
            secrets::put(database, owner, name, secret)?;
        }
    }
    Ok(())
}

/// Whether what a secret would belong to is there.
fn exists(database: &Database, owner: &SecretOwner) -> Result<bool, Fault> {
    let found = match owner {
        SecretOwner::Bot(bot) => database
            .prepare_cached("SELECT 1 FROM bots WHERE bot = ?1")?
            .query_row([bot.get()], |_row| Ok(()))
            .optional()?,
        SecretOwner::App(bot, name) => database
            .prepare_cached("SELECT 1 FROM apps WHERE bot = ?1 AND name = ?2")?
            .query_row(params![bot.get(), name], |_row| Ok(()))
            .optional()?,
        SecretOwner::Route(bot, name) => database
            .prepare_cached("SELECT 1 FROM routes WHERE bot = ?1 AND name = ?2")?
            .query_row(params![bot.get(), name], |_row| Ok(()))
            .optional()?,
        SecretOwner::Connection(connection) => database
            .prepare_cached("SELECT 1 FROM connections WHERE connection = ?1")?
            .query_row([connection.get()], |_row| Ok(()))
            .optional()?,
    };
    Ok(found.is_some())
}

fn must_have_bot(database: &Database, bot: BotId) -> Result<(), Abort<SettingsError>> {
    if exists(database, &SecretOwner::Bot(bot))? { Ok(()) } else { Err(missing(format!("bot {bot}"))) }
}

fn bot_sum(bot: BotId, document: &str) -> Sum {
    Sum::of("bots").int(bot.get()).text(document)
}

fn put_bot(database: &Database, bot: &Bot) -> Result<(), Fault> {
    let document = bot.document.as_str();
    database
        .prepare_cached(
            "INSERT INTO bots (bot, document, sum)
             VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET document = excluded.document, sum = excluded.sum",
        )?
        .execute(params![bot.bot.get(), document, bot_sum(bot.bot, document).done()])?;
    Ok(())
}

fn remove_bot(database: &Database, bot: BotId) -> Result<(), Fault> {
    for app in list_apps(database, bot)? {
        secrets::remove_all(database, &SecretOwner::App(bot, app.name))?;
    }
    for route in list_routes(database, bot)? {
        secrets::remove_all(database, &SecretOwner::Route(bot, route.name))?;
    }
    secrets::remove_all(database, &SecretOwner::Bot(bot))?;
    database.prepare_cached("DELETE FROM bots WHERE bot = ?1")?.execute([bot.get()])?;
    Ok(())
}

fn document(row: &Row<'_>, index: usize) -> Result<Document, Fault> {
    Document::parse(row.get(index)?)
        .map_err(|error| Fault::corrupt(format!("a document of settings: {error}")))
}

fn read_bot(row: &Row<'_>) -> Result<Bot, Fault> {
    let bot = BotId::new(row.get(0)?).map_err(|error| Fault::corrupt(error.to_string()))?;
    let document = document(row, 1)?;
    bot_sum(bot, document.as_str()).verify(row.get(2)?, || format!("the settings of bot {bot}"))?;
    Ok(Bot { bot, document })
}

pub(super) fn list_bots(database: &Database, after: i64, limit: i64) -> Result<Vec<Bot>, Fault> {
    let mut statement = database
        .prepare_cached("SELECT bot, document, sum FROM bots WHERE bot > ?1 ORDER BY bot LIMIT ?2")?;
    let mut rows = statement.query([after, limit])?;
    let mut bots = Vec::new();
    while let Some(row) = rows.next()? {
        bots.push(read_bot(row)?);
    }
    Ok(bots)
}

pub(super) fn find_bot(database: &Database, bot: BotId) -> Result<Option<Bot>, Fault> {
    let mut statement = database.prepare_cached("SELECT bot, document, sum FROM bots WHERE bot = ?1")?;
    let mut rows = statement.query([bot.get()])?;
    rows.next()?.map(read_bot).transpose()
}

fn app_sum(app: &App) -> Sum {
    Sum::of("apps")
        .int(app.bot.get())
        .text(&app.name)
        .maybe(app.lane.map(LaneId::get))
        .text(app.document.as_str())
}

fn put_app(database: &Database, app: &App) -> Result<(), Fault> {
    database
        .prepare_cached(
            "INSERT OR REPLACE INTO apps (bot, name, lane, document, sum) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            app.bot.get(),
            app.name,
            app.lane.map(LaneId::get),
            app.document.as_str(),
            app_sum(app).done()
        ])?;
    Ok(())
}

fn lane(value: Option<i64>) -> Result<Option<LaneId>, Fault> {
    value.map(LaneId::new).transpose().map_err(|error| Fault::corrupt(error.to_string()))
}

pub(super) fn list_apps(database: &Database, bot: BotId) -> Result<Vec<App>, Fault> {
    let mut statement =
        database.prepare_cached("SELECT name, lane, document, sum FROM apps WHERE bot = ?1 ORDER BY name")?;
    let mut rows = statement.query([bot.get()])?;
    let mut apps = Vec::new();
    while let Some(row) = rows.next()? {
        let app = App { bot, name: row.get(0)?, lane: lane(row.get(1)?)?, document: document(row, 2)? };
        app_sum(&app).verify(row.get(3)?, || format!("app {} of bot {bot}", app.name))?;
        apps.push(app);
    }
    Ok(apps)
}

fn route_sum(route: &Route) -> Sum {
    Sum::of("routes")
        .int(route.bot.get())
        .text(&route.name)
        .maybe(route.lane.map(LaneId::get))
        .maybe(route.connection.map(ConnectionId::get))
        .text(route.document.as_str())
}

fn put_route(database: &Database, route: &Route) -> Result<(), Fault> {
    database
        .prepare_cached(
            "INSERT OR REPLACE INTO routes (bot, name, lane, connection, document, sum)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            route.bot.get(),
            route.name,
            route.lane.map(LaneId::get),
            route.connection.map(ConnectionId::get),
            route.document.as_str(),
            route_sum(route).done()
        ])?;
    Ok(())
}

pub(super) fn list_routes(database: &Database, bot: BotId) -> Result<Vec<Route>, Fault> {
    let mut statement = database.prepare_cached(
        "SELECT name, lane, connection, document, sum FROM routes WHERE bot = ?1 ORDER BY name",
    )?;
    let mut rows = statement.query([bot.get()])?;
    let mut routes = Vec::new();
    while let Some(row) = rows.next()? {
        let route = Route {
            bot,
            name: row.get(0)?,
            lane: lane(row.get(1)?)?,
            connection: row.get::<_, Option<i64>>(2)?.map(connection_id).transpose()?,
            document: document(row, 3)?,
        };
        route_sum(&route).verify(row.get(4)?, || format!("route {} of bot {bot}", route.name))?;
        routes.push(route);
    }
    Ok(routes)
}

fn connection_id(value: i64) -> Result<ConnectionId, Fault> {
    ConnectionId::new(value).map_err(|error| Fault::corrupt(error.to_string()))
}

fn connection_sum(id: i64, name: &str, vendor: &str, document: &str) -> Sum {
    Sum::of("connections").int(id).text(name).text(vendor).text(document)
}

fn put_connection(database: &Database, name: &str, vendor: &str, document: &Document) -> Result<(), Fault> {
    let id = match find_connection(database, name)? {
        Some(existing) => existing.id.get(),
        None => count(database, CONNECTIONS)?,
    };
    let document = document.as_str();
    database
        .prepare_cached(
            "INSERT INTO connections (connection, name, vendor, document, sum)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (connection) DO UPDATE
             SET vendor = excluded.vendor, document = excluded.document, sum = excluded.sum",
        )?
        .execute(params![id, name, vendor, document, connection_sum(id, name, vendor, document).done()])?;
    Ok(())
}

fn remove_connection(database: &Database, connection: ConnectionId) -> Result<(), Abort<SettingsError>> {
    let used = database
        .prepare_cached("SELECT name FROM routes WHERE connection = ?1 LIMIT 1")?
        .query_row([connection.get()], |row| row.get::<_, String>(0))
        .optional()?;
    if let Some(route) = used {
        return Err(Abort::Refuse(SettingsError::InUse { by: format!("route {route:?}") }));
    }
    secrets::remove_all(database, &SecretOwner::Connection(connection))?;
    database.prepare_cached("DELETE FROM connections WHERE connection = ?1")?.execute([connection.get()])?;
    Ok(())
}

fn read_connection(row: &Row<'_>) -> Result<Connection, Fault> {
    let connection = Connection {
        id: connection_id(row.get(0)?)?,
        name: row.get(1)?,
        vendor: row.get(2)?,
        document: document(row, 3)?,
    };
    let Connection { id, name, vendor, document } = &connection;
    connection_sum(id.get(), name, vendor, document.as_str())
        .verify(row.get(4)?, || format!("connection {name}"))?;
    Ok(connection)
}

pub(super) fn list_connections(
    database: &Database,
    after: i64,
    limit: i64,
) -> Result<Vec<Connection>, Fault> {
    let mut statement = database.prepare_cached(
        "SELECT connection, name, vendor, document, sum
         FROM connections
         WHERE connection > ?1
         ORDER BY connection
         LIMIT ?2",
    )?;
    let mut rows = statement.query([after, limit])?;
    let mut connections = Vec::new();
    while let Some(row) = rows.next()? {
        connections.push(read_connection(row)?);
    }
    Ok(connections)
}

pub(super) fn find_connection(database: &Database, name: &str) -> Result<Option<Connection>, Fault> {
    let mut statement = database
        .prepare_cached("SELECT connection, name, vendor, document, sum FROM connections WHERE name = ?1")?;
    let mut rows = statement.query([name])?;
    rows.next()?.map(read_connection).transpose()
}
