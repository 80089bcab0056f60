//! Secrets of bots and routes: sealed on their way into the store, opened on their way out. Nothing here shows one.

use std::{fmt, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use tandem_journal::{ReadError, SealError, Sealer, SecretOwner, SettingsChange, Store};
use tandem_model::{BotId, Rng};
use tandem_telegram::{
    token::{Token, TokenError},
    webhook::{SecretToken, SecretTokenError},
};

/// A bot's token at Telegram.
pub const TOKEN: &str = "token";
/// What proves Telegram's deliveries of a bot to us.
pub const HOOK: &str = "hook";
/// The address that held a bot's stream before us.
pub const HOLDER_URL: &str = "holder_url";
/// Where a route goes.
pub const ROUTE_URL: &str = "url";
/// What a route's receiver checks, where it does.
pub const ROUTE_SECRET: &str = "secret";
/// The certificate (PEM) that a route's receiver shows, where it has one of its own.
pub const ROUTE_CERTIFICATE: &str = "certificate";

/// Seals and opens.
#[derive(Clone)]
pub struct Vault {
    store: Arc<dyn Store>,
    sealer: Arc<Sealer>,
    rng: Arc<dyn Rng>,
}

/// Why a secret is not at hand.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There is none of this name.
    #[error("there is no secret {name:?} of {owner}")]
    Missing {
        /// Whose it would be.
        owner: SecretOwner,
        /// Its name.
        name: String,
    },
    /// It could not be opened.
    #[error("secret {name:?} of {owner} cannot be opened")]
    Sealed {
        /// Whose it is.
        owner: SecretOwner,
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: SealError,
    },
    /// What was sealed is no token.
    #[error("what is stored as the bot's token is none")]
    Token(#[source] TokenError),
    /// What was sealed cannot be the secret of a webhook.
    #[error("what is stored as the secret of a webhook is none")]
    Hook(#[source] SecretTokenError),
    /// It could not be read.
    #[error("the secrets could not be read")]
    Read(#[from] ReadError),
}

impl Vault {
    /// A vault over this store.
    pub fn new(store: Arc<dyn Store>, sealer: Arc<Sealer>, rng: Arc<dyn Rng>) -> Self {
        Self { store, sealer, rng }
    }

    /// The change that stores a secret, to be committed with what it belongs to.
    pub fn put(&self, owner: SecretOwner, name: &str, secret: &SecretString) -> SettingsChange {
        let secret = self.sealer.seal(&owner, name, secret, &*self.rng);
        SettingsChange::PutSecret { owner, name: name.to_owned(), secret }
    }

    /// The secret of this name.
    pub async fn find(&self, owner: &SecretOwner, name: &str) -> Result<Option<SecretString>, SecretError> {
        let sealed = self.store.find_secret(owner.clone(), name.to_owned()).await?;
        let opened = sealed.map(|sealed| self.sealer.unseal(owner, name, &sealed)).transpose();
        opened.map_err(|source| SecretError::Sealed { owner: owner.clone(), name: name.to_owned(), source })
    }

    /// The secret of this name, which must be there.
    pub async fn get(&self, owner: &SecretOwner, name: &str) -> Result<SecretString, SecretError> {
        let found = self.find(owner, name).await?;
        found.ok_or_else(|| SecretError::Missing { owner: owner.clone(), name: name.to_owned() })
    }

    /// All secrets of an owner, by name.
    pub async fn list(&self, owner: &SecretOwner) -> Result<Vec<(String, SecretString)>, SecretError> {
        let mut opened = Vec::new();
        for (name, sealed) in self.store.list_secrets(owner.clone()).await? {
            let secret = self.sealer.unseal(owner, &name, &sealed);
            let secret = secret.map_err(|source| SecretError::Sealed {
                owner: owner.clone(),
                name: name.clone(),
                source,
            })?;
            opened.push((name, secret));
        }
        opened.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(opened)
    }

    /// A bot's token.
    pub async fn token(&self, bot: BotId) -> Result<Token, SecretError> {
        let text = self.get(&SecretOwner::Bot(bot), TOKEN).await?;
        Token::parse(text.expose_secret()).map_err(SecretError::Token)
    }

    /// What proves Telegram's deliveries of a bot; `None` before there was any need of it.
    pub async fn hook_secret(&self, bot: BotId) -> Result<Option<SecretToken>, SecretError> {
        let text = self.find(&SecretOwner::Bot(bot), HOOK).await?;
        text.map(|text| SecretToken::parse(text.expose_secret())).transpose().map_err(SecretError::Hook)
    }

    /// A new secret for Telegram's deliveries: 64 hexadecimal digits, 256 random bits.
    pub fn new_hook_secret(&self) -> SecretString {
        let mut random = [0; 32];
        self.rng.fill(&mut random);
        hex::encode(random).into()
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("sealer", &self.sealer).finish_non_exhaustive()
    }
}
