//! Verbs about what stands beside the journal and its lanes: links, people, settings, secrets.

use async_trait::async_trait;
use tandem_model::{BotId, ConnectionId, Conversation, Timestamp, UserId};

use super::{SqliteStore, facts, links, people, secrets, settings, sql_limit};
use crate::{
    App, Bot, Connection, ContactLink, Fact, HandOff, Lease, Link, LinkScope, Links, People, Person,
    PersonChange, ReadError, Revision, Route, SealedSecret, SecretOwner, Secrets, Settings, SettingsChange,
    SettingsError, WriteError,
};

impl SqliteStore {
    async fn put_facts(&self, lease: Lease, bot: BotId, put: Vec<Fact>) -> Result<(), WriteError> {
        self.write_for(bot, move |writing| facts::put_alone(writing, lease, bot, &put)).await
    }
}

#[async_trait]
impl Links for SqliteStore {
    async fn put_links(&self, lease: Lease, bot: BotId, links: Vec<Link>) -> Result<(), WriteError> {
        self.put_facts(lease, bot, links.into_iter().map(Fact::Link).collect()).await
    }

    async fn find_link(&self, bot: BotId, scope: LinkScope, ours: String) -> Result<Option<Link>, ReadError> {
        self.read_of(bot, move |connection, journal| links::find(connection, journal, scope, &ours)).await
    }

    async fn list_links(
        &self,
        bot: BotId,
        scope: LinkScope,
        theirs: String,
        limit: usize,
    ) -> Result<Vec<Link>, ReadError> {
        self.read_of(bot, move |connection, journal| {
            links::list(connection, journal, scope, &theirs, sql_limit(limit))
        })
        .await
    }

    async fn list_recent_links(
        &self,
        bot: BotId,
        connection: ConnectionId,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Link>, ReadError> {
        self.read_of(bot, move |database, journal| {
            links::list_recent(database, journal, connection, since, sql_limit(limit))
        })
        .await
    }
}

#[async_trait]
impl People for SqliteStore {
    async fn put_person(&self, lease: Lease, bot: BotId, change: PersonChange) -> Result<(), WriteError> {
        self.put_facts(lease, bot, vec![Fact::Person(change)]).await
    }

    async fn find_person(&self, bot: BotId, user: UserId) -> Result<Option<Person>, ReadError> {
        self.read_of(bot, move |connection, journal| people::find(connection, journal, user)).await
    }

    async fn list_people_by_phone(
        &self,
        bot: BotId,
        digits: String,
        limit: usize,
    ) -> Result<Vec<Person>, ReadError> {
        self.read_of(bot, move |connection, journal| {
            people::list_by_phone(connection, journal, &digits, sql_limit(limit))
        })
        .await
    }

    async fn put_contact(&self, lease: Lease, bot: BotId, contact: ContactLink) -> Result<(), WriteError> {
        self.put_facts(lease, bot, vec![Fact::Contact(contact)]).await
    }

    async fn find_contact(
        &self,
        bot: BotId,
        user: UserId,
        connection: ConnectionId,
    ) -> Result<Option<String>, ReadError> {
        self.read_of(bot, move |database, journal| people::find_contact(database, journal, user, connection))
            .await
    }

    async fn list_users_of_contact(
        &self,
        bot: BotId,
        connection: ConnectionId,
        contact: String,
        limit: usize,
    ) -> Result<Vec<UserId>, ReadError> {
        self.read_of(bot, move |database, journal| {
            people::list_users_of_contact(database, journal, connection, &contact, sql_limit(limit))
        })
        .await
    }

    async fn put_hand_off(&self, lease: Lease, bot: BotId, hand_off: HandOff) -> Result<(), WriteError> {
        self.put_facts(lease, bot, vec![Fact::HandOff(hand_off)]).await
    }

    async fn find_hand_off(
        &self,
        bot: BotId,
        conversation: Conversation,
    ) -> Result<Option<HandOff>, ReadError> {
        self.read_of(bot, move |connection, journal| {
            people::find_hand_off(connection, journal, &conversation)
        })
        .await
    }
}

#[async_trait]
impl Settings for SqliteStore {
    async fn revision(&self) -> Result<Revision, ReadError> {
        self.read(settings::revision).await
    }

    async fn change_settings(
        &self,
        expected: Option<Revision>,
        changes: Vec<SettingsChange>,
    ) -> Result<Revision, SettingsError> {
        self.write_for_all(move |writing| settings::change(writing, expected, &changes)).await
    }

    async fn list_bots(&self, after: Option<BotId>, limit: usize) -> Result<Vec<Bot>, ReadError> {
        let after = after.map_or(0, BotId::get);
        self.read(move |connection| settings::list_bots(connection, after, sql_limit(limit))).await
    }

    async fn find_bot(&self, bot: BotId) -> Result<Option<Bot>, ReadError> {
        self.read(move |connection| settings::find_bot(connection, bot)).await
    }

    async fn list_apps(&self, bot: BotId) -> Result<Vec<App>, ReadError> {
        self.read(move |connection| settings::list_apps(connection, bot)).await
    }

    async fn list_routes(&self, bot: BotId) -> Result<Vec<Route>, ReadError> {
        self.read(move |connection| settings::list_routes(connection, bot)).await
    }

    async fn list_connections(
        &self,
        after: Option<ConnectionId>,
        limit: usize,
    ) -> Result<Vec<Connection>, ReadError> {
        let after = after.map_or(0, ConnectionId::get);
        self.read(move |connection| settings::list_connections(connection, after, sql_limit(limit))).await
    }

    async fn find_connection(&self, name: String) -> Result<Option<Connection>, ReadError> {
        self.read(move |connection| settings::find_connection(connection, &name)).await
    }
}

#[async_trait]
impl Secrets for SqliteStore {
    async fn put_secret(
        &self,
        owner: SecretOwner,
        name: String,
        secret: SealedSecret,
    ) -> Result<(), WriteError> {
        self.write_for_all(move |writing| Ok(secrets::put(writing.connection, &owner, &name, &secret)?)).await
    }

    async fn find_secret(&self, owner: SecretOwner, name: String) -> Result<Option<SealedSecret>, ReadError> {
        self.read(move |connection| secrets::find(connection, &owner, &name)).await
    }

    async fn list_secrets(&self, owner: SecretOwner) -> Result<Vec<(String, SealedSecret)>, ReadError> {
        self.read(move |connection| secrets::list(connection, &owner)).await
    }

    async fn remove_secret(&self, owner: SecretOwner, name: String) -> Result<(), WriteError> {
        self.write_for_all(move |writing| Ok(secrets::remove(writing.connection, &owner, &name)?)).await
    }
}
