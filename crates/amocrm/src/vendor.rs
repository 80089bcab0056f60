//! What makes accounts of connections.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tandem_model::{Clock, Rng};
use tandem_outbound::Settings;
use tandem_vendor::{Account, ConnectionSetting, Keep, OpenError, Vendor};

use crate::{
    account::{AmocrmAccount, Ears},
    chats::Chats,
    connection::{Access, Connection},
    document::LimitsDocument,
    http::{Http, SetUpError},
    people::People,
    rest::{Claims, Quota, Rest, Tokens, Window, claims},
};

/// amoCRM and Kommo.
pub struct Amocrm {
    http: Http,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    /// Limits belong to integrations and accounts, not to our connections to them.
    windows: Mutex<HashMap<String, Weak<Window>>>,
    /// People belong to accounts, by their hosts: two connections to one account meet the same ones.
    people: Mutex<HashMap<String, Weak<People>>>,
}

impl Amocrm {
    /// Its word in settings and addresses.
    pub const NAME: &'static str = "amocrm";

    /// Makes the vendor with one HTTP client for all accounts.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Result<Self, SetUpError> {
        let http = Http::new(settings, Arc::clone(&clock))?;
        Ok(Self { http, clock, rng, windows: Mutex::default(), people: Mutex::default() })
    }

    fn rest(&self, connection: &Connection, said: &Claims, keep: Arc<dyn Keep>) -> Option<Rest> {
        let Connection { access, integration, token_server, rest, limits, account_host, .. } = connection;
        let integration = integration.as_ref();
        let clock = || Arc::clone(&self.clock);
        let tokens = Tokens::new(access.clone(), &self.http, token_server, integration, keep, clock())?;
        let LimitsDocument { rest_per_second, rest_reserve, account_per_second, .. } = *limits;
        let client_id =
            integration.map(|known| &known.client_id).or(said.aud.as_ref()).unwrap_or(account_host);
        let of_integration = self.window(format!("integration {client_id}"), rest_per_second, rest_reserve);
        let of_account = self.window(format!("account {account_host}"), account_per_second, 0);
        let quota = Arc::new(Quota::new(of_integration, of_account, clock()));
        Some(Rest::new(self.http.clone(), rest.clone(), tokens, quota))
    }

    /// The window of this name: that of other accounts, where one of them uses it.
    fn window(&self, name: String, most: u32, reserve: u32) -> Arc<Window> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.retain(|_, window| window.strong_count() > 0);
        if let Some(window) = windows.get(&name).and_then(Weak::upgrade) {
            return window;
        }
        let window = Arc::new(Window::new(most, reserve, Arc::clone(&self.clock)));
        windows.insert(name, Arc::downgrade(&window));
        window
    }

    /// The people of the account at this host.
    fn people(&self, account_host: &str) -> Arc<People> {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        people.retain(|_, people| people.strong_count() > 0);
        if let Some(people) = people.get(account_host).and_then(Weak::upgrade) {
            return people;
        }
        let made = Arc::new(People::new(Arc::clone(&self.clock)));
        people.insert(account_host.to_owned(), Arc::downgrade(&made));
        made
    }
}

impl Vendor for Amocrm {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn open(&self, setting: &ConnectionSetting, keep: Arc<dyn Keep>) -> Result<Arc<dyn Account>, OpenError> {
        let connection = Connection::read(setting)?;
        let said = match &connection.access {
            Access::LongLived(token) | Access::Granted(Some((token, _))) => claims(token),
            Access::Nothing | Access::Granted(None) => Claims::default(),
        };
        let rest = self.rest(&connection, &said, Arc::clone(&keep));
        let ears = Ears::new(keep, Arc::clone(&self.rng), connection.hook_secret.clone());
        let chats = connection.channel.clone().map(|channel| {
            Chats::new(
                self.http.clone(),
                connection.chats.clone(),
                channel,
                connection.limits.chats_at_once,
                Arc::clone(&self.clock),
                Arc::clone(&self.rng),
            )
        });
        let people = self.people(&connection.account_host);
        let clock = Arc::clone(&self.clock);
        Ok(Arc::new(AmocrmAccount::new(connection, chats, rest, said.account_id, ears, people, clock)))
    }
}

impl fmt::Debug for Amocrm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Amocrm").finish_non_exhaustive()
    }
}
