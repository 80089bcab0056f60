//! Secrets that travel in a [`Request`](super::Request) or, the one time an app's token is shown, in a
//! [`Response`](super::Response).

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A secret on its way between the command line and the service.
///
/// `Debug` hides it. Unlike every other secret of ours it serialises, because the control socket (mode 0600) is how
/// it gets across; nothing that is stored or logged is of this type.
#[derive(Clone)]
pub struct Confidential(SecretString);

impl Confidential {
    /// Takes a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// For sealing.
    pub const fn secret(&self) -> &SecretString {
        &self.0
    }
}

impl fmt::Debug for Confidential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Confidential(..)")
    }
}

impl Serialize for Confidential {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Confidential {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_travels_and_does_not_show_itself() {
        let secret = Confidential::new("s3cret");
        assert_eq!(format!("{secret:?}"), "Confidential(..)");
        let json = serde_json::to_string(&secret).unwrap();
        assert_eq!(serde_json::from_str::<Confidential>(&json).unwrap().expose(), "s3cret");
    }
}
